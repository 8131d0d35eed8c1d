import { useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useSections } from "./sections";

const SWITCH = "ouzel.keys";
const THEN_MS = 1200;

/** Whether single keys do something. Some people's tools type for them: they can switch it off. */
export function singleKeys(): boolean {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

export function setSingleKeys(on: boolean): void {
  localStorage.setItem(SWITCH, on ? "on" : "off");
}

/** Whether a key is meant for what has the focus, or for a dialog that is open. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target?.closest) return false;
  return Boolean(
    target.isContentEditable || target.closest("input, textarea, select, [role=dialog], [role=menu], [role=listbox]"),
  );
}

/** Keys of a screen: `{ x: select }`. Not while somebody types. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
  const now = useRef(keys);
  now.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || !singleKeys()) return;
      const act = now.current[event.key];
      if (act) {
        event.preventDefault();
        act(event);
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

/** Keys that work on all screens, and what they open. */
export function useShellKeys(onRail: () => void) {
  const [search, setSearch] = useState(false);
  const [sheet, setSheet] = useState(false);
  const going = useRef(0);
  const router = useRouter();
  const sections = useSections();
  const go = Object.fromEntries(sections.map((each) => [each.letter ?? "", each.to]));
  const letters = Object.fromEntries(
    Object.entries(go)
      .filter(([letter]) => letter)
      .map(([letter, to]) => [
        letter,
        () => {
          if (Date.now() - going.current < THEN_MS) void router.navigate({ to });
          going.current = 0;
        },
      ]),
  );
  useKeys({
    ...letters,
    g: () => {
      going.current = Date.now();
    },
    "/": () => setSearch(true),
    "?": () => setSheet(true),
    "[": onRail,
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setSearch((open) => !open);
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return {
    search,
    sheet,
    openSearch: () => setSearch(true),
    closeSearch: () => setSearch(false),
    openSheet: () => setSheet(true),
    closeSheet: () => setSheet(false),
  };
}
