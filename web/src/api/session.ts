/** Who has signed in, and that it stays so. The tokens are in cookies that no script reads; here is only until when they are good. */

import { create } from "zustand";
import type { components } from "../made/schema";
import { HOME } from "./base";
import { alone, Channel } from "./tabs";
import { Trouble, troubleOf } from "./trouble";

export type Me = components["schemas"]["MeOut"];
type Session = components["schemas"]["SessionOut"];

interface State {
  /** `expired`: was signed in, and what is on the page must not be lost. */
  state: "unknown" | "out" | "in" | "expired";
  me: Me | null;
}

export const useSession = create<State>(() => ({ state: "unknown", me: null }));

const UNTIL = "ouzel.access_until";
const EARLY_MS = 60_000;
let timer: ReturnType<typeof setTimeout> | undefined;

const others = new Channel<"in" | "out" | "expired">("session", (told) => {
  if (told === "in") void begin();
  else if (useSession.getState().state !== "unknown") become(told);
});

/** Raises: Trouble. */
async function send(path: string, body?: object): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`${HOME}${path}`, {
      method: body === undefined && path === "/api/auth/me" ? "GET" : "POST",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new Trouble({ code: "unreachable" });
  }
  if (!answer.ok) throw troubleOf(await answer.json().catch(() => null), answer.status);
  return answer;
}

function become(state: "out" | "expired"): void {
  clearTimeout(timer);
  if (state === "out") useSession.setState({ state, me: null });
  else if (useSession.getState().state === "in") useSession.setState({ state });
}

function until(): number {
  const told = Number(storage()?.getItem(UNTIL));
  return Number.isFinite(told) ? told : 0;
}

function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function keep(session: Session): void {
  // by this browser's clock, which may be wrong: only the length of time is taken from the answer
  const lasts = 15 * 60_000;
  const told = new Date(session.access_until).getTime() - Date.now();
  storage()?.setItem(UNTIL, String(Date.now() + (told > EARLY_MS && told < lasts ? told : lasts)));
  schedule();
}

function schedule(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void stay(), Math.max(until() - Date.now() - EARLY_MS, 1000));
}

async function stay(): Promise<void> {
  if (useSession.getState().state !== "in") return;
  try {
    await refresh(until());
  } catch {
    timer = setTimeout(() => void stay(), 15_000); // out of reach; what comes next will tell
  }
}

/**
 * A new access token. One tab does it for all: a refresh token is good for one use.
 *
 * @param known until when the caller believed that the token is good: if another tab has changed it meanwhile, that will do.
 * @returns whether somebody is signed in still.
 * @throws Trouble when nobody answers.
 */
export async function refresh(known: number): Promise<boolean> {
  const done = await alone("refresh", async () => {
    if (until() > known && until() > Date.now()) return true;
    try {
      keep(await (await send("/api/auth/refresh")).json());
      return true;
    } catch (error) {
      if (error instanceof Trouble && error.status === 401) return false;
      throw error;
    }
  });
  if (!done) {
    become("expired");
    others.tell("expired");
  } else schedule();
  return Boolean(done);
}

export const accessUntil = until;

/** Whether there are cookies of a session: the one that a script may read lives as long as the others. */
function isKnown(): boolean {
  return document.cookie.split("; ").some((each) => each.startsWith("ouzel_csrf="));
}

/** At the start of the page, and when another tab has signed in. */
export async function begin(): Promise<void> {
  if (!isKnown()) {
    useSession.setState({ state: "out", me: null });
    return;
  }
  const ask = async () => (await send("/api/auth/me")).json() as Promise<Me>;
  try {
    let me: Me;
    try {
      me = await ask();
    } catch (error) {
      if (!(error instanceof Trouble) || error.status !== 401) throw error;
      if (!(await refresh(until()))) {
        useSession.setState({ state: "out", me: null });
        return;
      }
      me = await ask();
    }
    useSession.setState({ state: "in", me });
    schedule();
  } catch (error) {
    if (useSession.getState().state === "unknown") throw error;
  }
}

async function entered(answer: Response): Promise<void> {
  keep(await answer.json());
  const me = (await (await send("/api/auth/me")).json()) as Me;
  useSession.setState({ state: "in", me });
  others.tell("in");
}

/** Raises: Trouble. */
export async function signIn(name: string, password: string): Promise<void> {
  await entered(await send("/api/auth/login", { name, password }));
}

/** The first account, with what stands behind `#` in the link that the daemon printed. Raises: Trouble. */
export async function setUp(token: string, name: string, password: string): Promise<void> {
  await entered(await send("/api/auth/setup", { token, name, password }));
}

/** On the server, too. Raises: Trouble. */
export async function signOut(): Promise<void> {
  try {
    await send("/api/auth/logout");
  } catch (error) {
    if (!(error instanceof Trouble) || error.status !== 401) throw error;
  }
  storage()?.removeItem(UNTIL);
  become("out");
  others.tell("out");
}

/** Whether somebody may do what needs this scope. */
export function may(me: Me | null, scope: "read" | "write" | "admin"): boolean {
  return me?.scopes.includes(scope) ?? false;
}

export function useMay(scope: "read" | "write" | "admin"): boolean {
  return useSession((session) => may(session.me, scope));
}
