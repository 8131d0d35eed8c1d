import { QueryClient } from "@tanstack/react-query";
import { createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { PREFIX } from "../api/base";
import { useSession } from "../api/session";
import { Trouble } from "../api/trouble";
import { routes } from "../made/screens";
import { rootRoute, shell } from "./root";
import { ScreenError } from "./ScreenError";

const signIn = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    typeof search.to === "string" ? { to: search.to } : {},
  component: lazyRouteComponent(() => import("./entrance/SignIn"), "SignIn"),
});

const setup = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  component: lazyRouteComponent(() => import("./entrance/Setup"), "Setup"),
});

/** Whether asking again at once can help. What the server has said stays said. */
function mayHelp(error: unknown): boolean {
  return error instanceof Trouble && (error.code === "unreachable" || error.status >= 500);
}

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000, // events tell sooner
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && mayHelp(error),
    },
  },
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([shell.addChildren([...routes]), signIn, setup]),
  basepath: PREFIX || "/",
  context: { client },
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: ScreenError,
  scrollRestoration: true,
});

useSession.subscribe((now, before) => {
  if (now.state === "out" && before.state !== "out") void router.invalidate(); // the shell sends to the door
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
