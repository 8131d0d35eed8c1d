import type { LucideIcon } from "lucide-react";

/** A place in the rail. */
export interface Section {
  /** Address, as the router has it. */
  to: string;
  /** Name of a word: `app.section.NAME`. */
  name: SectionName;
  icon: LucideIcon;
  /** From the top; on a phone the first four stand in the bar, the others behind "More". */
  order: number;
  /** The letter after `g`. */
  letter?: string;
  scope?: "read" | "write" | "admin";
  /** Below the line: what is set up once. */
  low?: boolean;
}

export type SectionName = keyof typeof import("../words/en/app.json")["section"];
