import i18next from "i18next";
import { Trouble } from "../api/trouble";
import type en from "../made/words.en";

type Code = keyof typeof en.error;

/** The sentence of an error's code. `detail`, which is English, is for small print beneath it. */
export function sentence(code: string): string {
  return i18next.t(`error.${i18next.exists(`error.${code}`) ? (code as Code) : "internal"}`);
}

/** Of anything that was caught. */
export function troubled(error: unknown): { sentence: string; detail: string; code: string } {
  if (error instanceof Trouble) {
    const { code, detail, requestId } = error;
    return { sentence: sentence(code), detail: [detail, requestId].filter(Boolean).join(" · "), code };
  }
  return { sentence: sentence("internal"), detail: String(error), code: "internal" };
}
