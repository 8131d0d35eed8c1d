import { Badge } from "@mantine/core";
import {
  Ban,
  CircleDashed,
  CircleDot,
  CircleHelp,
  CirclePause,
  EyeOff,
  Film,
  GlobeLock,
  KeyRound,
  LoaderCircle,
  type LucideIcon,
  MoonStar,
  Radio,
  TriangleAlert,
  Unplug,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import type { components } from "../made/schema";
import type en from "../words/en/channel.json";

type Channel = components["schemas"]["ChannelOut"];
export type ShownState = keyof (typeof en)["state"];
type Tone = "live" | "good" | "bad" | "still";

const MARKS: Record<ShownState, [LucideIcon, Tone]> = {
  live: [Radio, "good"],
  recording: [CircleDot, "live"],
  connecting: [LoaderCircle, "live"],
  waiting: [CircleDashed, "still"],
  parked: [Unplug, "bad"],
  paused: [CirclePause, "bad"],
  finishing: [LoaderCircle, "live"],
  done: [CircleDot, "still"],
  offline: [MoonStar, "still"],
  unknown: [CircleDashed, "still"],
  unwatched: [EyeOff, "still"],
  vod: [Film, "still"],
  blocked: [Ban, "bad"],
  needs_login: [KeyRound, "bad"],
  region_locked: [GlobeLock, "bad"],
  broken: [CircleHelp, "bad"],
  gone: [TriangleAlert, "bad"],
};
const COLOURS: Record<Tone, string> = { live: "ember", good: "ouzel", bad: "red", still: "gray" };

/** Of its recording while there is one, else what is known of the channel. */
export function stateOf(channel: Channel): ShownState {
  if (channel.recording && channel.recording.state !== "done") return channel.recording.state;
  if (!channel.watch) return "unwatched";
  return channel.state;
}

export function toneOf(state: ShownState): Tone {
  return MARKS[state][1];
}

/** A state: a form, a word and a colour. */
export function StateMark({ state }: { state: ShownState }) {
  const { t } = useTranslation();
  const [Icon, tone] = MARKS[state];
  return (
    <Badge
      variant={tone === "live" ? "filled" : "light"}
      color={COLOURS[tone]}
      leftSection={<Icon size={12} aria-hidden />}
      tt="none"
      fw={650}
      style={{ flex: "none" }}
    >
      {t(`channel.state.${state}`)}
    </Badge>
  );
}
