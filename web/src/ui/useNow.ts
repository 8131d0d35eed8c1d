import { useEffect, useState } from "react";

/** Milliseconds of Date.now(), anew each `everyMs` while it is looked at. */
export function useNow(everyMs = 1000, on = true): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!on) return;
    setNow(Date.now());
    const timer = setInterval(() => document.hidden || setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, on]);
  return now;
}
