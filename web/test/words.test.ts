import { expect, test } from "vitest";
import en from "../src/made/words.en";
import zh from "../src/made/words.zh";

type Words = { [key: string]: string | Words };

const PLURAL = /_(one|other)$/;

/** `app.bell.open` with its placeholders. Of plurals English has two, Chinese has one: they count as one word. */
function flat(words: Words, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === "string") {
      const holes = [...new Set([...value.matchAll(/\{\{(\w+)\}\}/g)].map((each) => each[1]))].sort().join(",");
      found.set(path + key.replace(PLURAL, ""), holes);
    } else for (const [inner, holes] of flat(value, `${path}${key}.`)) found.set(inner, holes);
  }
  return found;
}

test("both languages have the same words, with the same places to be filled", () => {
  expect(Object.fromEntries(flat(zh as Words))).toEqual(Object.fromEntries(flat(en as Words)));
});

test("no word is empty, and every plural is whole", () => {
  for (const [words, forms] of [
    [en as Words, ["one", "other"]],
    [zh as Words, ["other"]],
  ] as const) {
    const keys: string[] = [];
    const walk = (each: Words, path: string) => {
      for (const [key, value] of Object.entries(each)) {
        if (typeof value === "string") {
          expect(value.trim(), path + key).not.toBe("");
          keys.push(path + key);
        } else walk(value, `${path}${key}.`);
      }
    };
    walk(words, "");
    for (const key of keys.filter((each) => PLURAL.test(each)))
      for (const form of forms) expect(keys).toContain(key.replace(PLURAL, `_${form}`));
  }
});
