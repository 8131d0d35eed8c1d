/** The API, with the types of its description. `await told(api.GET("/api/channels"))` gives what was answered, or raises Trouble. */

import createClient from "openapi-fetch";
import type { paths } from "../made/schema";
import { HOME } from "./base";
import { accessUntil, refresh, useSession } from "./session";
import { Trouble, troubleOf } from "./trouble";

async function fetched(request: Request): Promise<Response> {
  const again = request.clone();
  const known = accessUntil();
  let answer = await reached(request);
  if (answer.status === 401 && useSession.getState().state === "in" && (await refresh(known)))
    answer = await reached(again);
  return answer;
}

async function reached(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Trouble({ code: "unreachable" });
  }
}

export const api = createClient<paths>({ baseUrl: HOME, fetch: fetched });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What was answered. Raises: Trouble. */
export async function told<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw troubleOf(error, response.status);
  return data as T;
}

/** The same, with its tag, for `ifMatch`. Raises: Trouble. */
export async function tagged<T>(asked: Promise<Answer<T>>): Promise<{ value: T; tag: string | null }> {
  const answer = await asked;
  return { value: await told(Promise.resolve(answer)), tag: answer.response.headers.get("etag") };
}

/** Headers of an edit: it is done only if nobody else has edited since. */
export function ifMatch(tag: string | null): { "if-match"?: string } {
  return tag ? { "if-match": tag } : {};
}

/** Headers of a creation: sent twice, it is made once. */
export function once(): { "idempotency-key": string } {
  const random = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is not there without TLS
  return { "idempotency-key": Array.from(random, (each) => each.toString(16).padStart(2, "0")).join("") };
}
