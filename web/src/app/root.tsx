import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, Outlet, redirect } from "@tanstack/react-router";
import { useSession } from "../api/session";
import { Inside } from "./Inside";
import { Nothing } from "./Nothing";
import { ScreenError } from "./ScreenError";

export const rootRoute = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: Nothing,
});

/** Parent of all screens: the rail, the bar, and somebody who has signed in. */
export const shell = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  beforeLoad: ({ location }) => {
    const { state } = useSession.getState();
    if (state === "in" || state === "expired") return;
    throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { to: location.href }, replace: true });
  },
  component: Inside,
  notFoundComponent: Nothing,
  errorComponent: ScreenError,
});
