import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, Outlet } from "@tanstack/react-router";
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
  component: Inside,
  notFoundComponent: Nothing,
  errorComponent: ScreenError,
});
