import { expect, test } from "vitest";
import { ago, size, span } from "../src/words/numbers";

test.each([
  [0, "0:00"],
  [59.9, "0:59"],
  [61, "1:01"],
  [3661, "1:01:01"],
  [-3, "0:00"],
])("%d seconds are %s", (seconds, text) => expect(span(seconds)).toBe(text));

test.each([
  [999, "999 B"],
  [1234, "1.23 kB"],
  [12_345_678, "12.3 MB"],
  [999_900_000_000, "1,000 GB"],
])("%d bytes are %s", (bytes, text) => expect(size(bytes, "en")).toBe(text));

test("times are told in the language of the page", () => {
  const now = Date.parse("2026-11-23T10:00:00Z");
  expect(ago("2026-11-23T09:57:00Z", "en", now)).toBe("3 minutes ago");
  expect(ago("2026-11-23T09:57:00Z", "zh-CN", now)).toBe("3分钟前");
});
