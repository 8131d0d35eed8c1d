import { expect, test } from "vitest";
import { FrameReader } from "../src/api/stream";

const TEXT =
  'retry: 3000\nevent: ready\nid: 7\ndata: {"number":7}\n\n: still here\n\nevent: a.b\nid: 8\ndata: x\ndata: y\n\n';

test("frames are the same however the stream was cut", () => {
  const whole = new FrameReader().take(TEXT);
  expect(whole).toEqual([
    { event: "ready", id: "7", data: '{"number":7}' },
    { event: "a.b", id: "8", data: "x\ny" },
  ]);
  for (let cut = 1; cut < TEXT.length; cut += 1) {
    const reader = new FrameReader();
    expect([...reader.take(TEXT.slice(0, cut)), ...reader.take(TEXT.slice(cut))]).toEqual(whole);
  }
});

test("a sign of life that carries a number is a frame without words", () => {
  expect(new FrameReader().take(": still here\nid: 12\n\n")).toEqual([{ event: "", id: "12", data: "" }]);
});
