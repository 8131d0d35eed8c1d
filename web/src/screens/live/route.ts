import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { Radio } from "lucide-react";
import { shell } from "../../app/root";
import type { Section } from "../../app/section";

/** What the address of the screen carries. */
export interface LiveSearch {
  label?: string;
  state?: "on_air" | "recording" | "troubled";
  text?: string;
  /** The channel that is shown beside the tiles. */
  channel?: string;
}

const STATES = ["on_air", "recording", "troubled"] as const;

const live = createRoute({
  getParentRoute: () => shell,
  path: "/",
  validateSearch: (given: Record<string, unknown>): LiveSearch => {
    const state = STATES.find((each) => each === given.state);
    return {
      ...(typeof given.label === "string" && { label: given.label }),
      ...(typeof given.text === "string" && { text: given.text }),
      ...(typeof given.channel === "string" && { channel: given.channel }),
      ...(state && { state }),
    };
  },
  component: lazyRouteComponent(() => import("./Live"), "Live"),
});

export const routes = [live] as const;
export const sections: Section[] = [{ to: "/", name: "live", icon: Radio, order: 10, letter: "v" }];
