import type { components } from "../made/schema";

type Problem = components["schemas"]["Problem"];

/** What went wrong with a request: a problem document, or the lack of any answer (`unreachable`). */
export class Trouble extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly requestId: string;
  readonly fields: NonNullable<Problem["errors"]>;
  readonly existing: string | null;

  constructor(problem: Partial<Problem> & { code: string }) {
    super(problem.detail ?? problem.code);
    this.code = problem.code;
    this.status = problem.status ?? 0;
    this.detail = problem.detail ?? "";
    this.requestId = problem.request_id ?? "";
    this.fields = problem.errors ?? [];
    this.existing = problem.existing ?? null;
  }
}

/** Of an answer's body: proxies answer with pages of their own. */
export function troubleOf(body: unknown, status: number): Trouble {
  const problem = body as Partial<Problem> | null;
  if (problem && typeof problem === "object" && typeof problem.code === "string")
    return new Trouble({ ...problem, code: problem.code });
  return new Trouble({ code: status >= 502 && status <= 504 ? "unreachable" : "bad_response", status });
}
