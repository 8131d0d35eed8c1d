/** What happens, told by the server: one connection for all tabs, whose leader passes on what it hears. */

import type { QueryClient } from "@tanstack/react-query";
import { create } from "zustand";
import { HOME } from "./base";
import { accessUntil, refresh, useSession } from "./session";
import { type Frame, FrameReader } from "./stream";
import { alone, Channel } from "./tabs";
import { STALE } from "./topics";

export interface Happened {
  number: number;
  at: string;
  code: string;
  subject: string;
  channel_id: string | null;
  data: Record<string, unknown>;
}

interface Connection {
  state: "connecting" | "live" | "lost";
  /** Since when nothing is heard: milliseconds of Date.now(). */
  since: number;
}

export const useConnection = create<Connection>(() => ({ state: "connecting", since: Date.now() }));

type Said =
  | { said: "event"; event: Happened }
  | { said: "again" }
  | { said: "state"; state: Connection["state"] }
  | { said: "who" };

const GATHER_MS = 120;
const SILENT_MS = 40_000; // the server gives a sign of life every 15 s
const REST_MS = [500, 1000, 2000, 5000, 10_000];

export function listen(client: QueryClient, onEvent: (event: Happened) => void = () => {}): () => void {
  const over = new AbortController();
  let stale = new Set<string>();
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let after: number | null = null;
  let leads = false;

  const note = (state: Connection["state"]) => {
    if (useConnection.getState().state !== state) useConnection.setState({ state, since: Date.now() });
    if (leads) channel.tell({ said: "state", state });
  };
  const refetch = () => {
    gathering = undefined;
    const keys = stale;
    stale = new Set();
    for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
  };
  const hear = (event: Happened) => {
    after = Math.max(after ?? 0, event.number);
    if (event.code.endsWith(".progress")) client.setQueryData(["progress", event.subject], event.data);
    for (const key of STALE[event.code.split(".")[0] ?? ""] ?? [])
      if (!event.code.endsWith(".progress")) stale.add(key);
    gathering ??= setTimeout(refetch, GATHER_MS);
    onEvent(event);
  };
  const again = () => void client.invalidateQueries();

  const channel = new Channel<Said>("events", (message) => {
    if (message.said === "event") hear(message.event);
    else if (message.said === "again") again();
    else if (message.said === "state") note(message.state);
    else if (leads) channel.tell({ said: "state", state: useConnection.getState().state });
  });

  const take = (frame: Frame): boolean => {
    if (frame.id) after = Number(frame.id);
    if (frame.event === "ready") note("live");
    else if (frame.event === "resync") {
      again();
      channel.tell({ said: "again" });
      return false;
    } else if (frame.data) {
      const event = JSON.parse(frame.data) as Happened;
      hear(event);
      channel.tell({ said: "event", event });
    }
    return true;
  };

  /** One connection, until it ends. Returns whether it was one at all. */
  const connect = async (): Promise<boolean> => {
    const ended = new AbortController();
    const stop = () => ended.abort();
    over.signal.addEventListener("abort", stop);
    let alarm = setTimeout(stop, SILENT_MS);
    try {
      const known = accessUntil();
      const answer = await fetch(`${HOME}/api/events${after === null ? "" : `?after=${after}`}`, {
        signal: ended.signal,
      });
      if (answer.status === 401) {
        if (await refresh(known)) return true;
        return false;
      }
      if (!answer.ok || !answer.body) return false;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      const frames = new FrameReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return true;
        clearTimeout(alarm);
        alarm = setTimeout(stop, SILENT_MS);
        for (const frame of frames.take(value)) if (!take(frame)) return true;
      }
    } catch {
      return false; // lost; the dot says so, and it is tried again
    } finally {
      clearTimeout(alarm);
      over.signal.removeEventListener("abort", stop);
      ended.abort();
    }
  };

  const lead = async () => {
    leads = true;
    let failed = 0;
    while (!over.signal.aborted) {
      const missed = after === null;
      if (await connect()) failed = 0;
      else failed += 1;
      if (over.signal.aborted) break;
      if (useSession.getState().state !== "in") break;
      note(failed > 2 ? "lost" : "connecting");
      if (missed && failed === 0) again();
      await new Promise((done) => setTimeout(done, REST_MS[Math.min(failed, REST_MS.length - 1)]));
    }
  };

  channel.tell({ said: "who" });
  void alone("events", lead, over.signal);
  return () => {
    over.abort();
    clearTimeout(gathering);
    channel.close();
  };
}
