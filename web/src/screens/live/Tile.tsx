import { ActionIcon, Badge, Group, Menu, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { CircleDot, Ellipsis, Eye, EyeOff, RefreshCw, Scissors, Square, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Status } from "../../app/status";
import { StateMark, stateOf, toneOf } from "../../ui/StateMark";
import { useNumbers } from "../../words/numbers";
import { sentence } from "../../words/sentences";
import classes from "./Live.module.css";
import { type Channel, useActions } from "./queries";

interface Props {
  channel: Channel;
  line: Status["channels"][number] | undefined;
  /** Milliseconds: now, and when the channel was asked for. */
  now: number;
  at: number;
  mayEdit: boolean;
  onOpen: () => void;
}

/** One channel: what it does, since when, how much of it is kept and what is missing. */
export function Tile({ channel, line, now, at, mayEdit, onOpen }: Props) {
  const { t } = useTranslation();
  const { ago } = useNumbers();
  const state = stateOf(channel);
  const { recording } = channel;
  const code = recording?.code ?? channel.code;
  return (
    <article className={classes.tile} data-tone={toneOf(state)} aria-label={channel.name}>
      <div className={classes.body}>
        <Group justify="space-between" wrap="nowrap" gap="xs">
          <UnstyledButton className={classes.name} onClick={onOpen} lang="und">
            {channel.name}
          </UnstyledButton>
          <StateMark state={state} />
        </Group>
        <Text size="sm" c="dimmed" truncate mt={4}>
          {[channel.title, channel.category].filter(Boolean).join(" · ") || channel.identity || channel.addresses[0]}
        </Text>
        {recording ? (
          <Numbers
            recording={recording}
            line={line}
            passed_s={state === "recording" ? Math.max(0, now - at) / 1000 : 0}
          />
        ) : (
          <Text size="xs" c="dimmed" mt={10}>
            {[
              channel.since && t("live.since", { ago: ago(channel.since) }),
              channel.watch && channel.due_at && t("live.due", { ago: ago(channel.due_at) }),
            ]
              .filter(Boolean)
              .join(" · ")}
          </Text>
        )}
        {code && (
          <Text size="xs" c="var(--ouzel-bad)" mt={6} lineClamp={recording ? 1 : 3}>
            {sentence(code)}
          </Text>
        )}
      </div>
      <div className={classes.foot}>
        <Badge size="xs" variant="default" tt="none">
          {channel.platform}
        </Badge>
        {channel.labels.slice(0, 2).map((each) => (
          <Badge key={each} size="xs" variant="light" tt="none" ml={4}>
            {each}
          </Badge>
        ))}
        <span style={{ flex: 1 }} />
        {mayEdit && <Actions channel={channel} />}
      </div>
    </article>
  );
}

function Numbers({
  recording,
  line,
  passed_s,
}: {
  recording: NonNullable<Channel["recording"]>;
  line: Props["line"];
  passed_s: number;
}) {
  const { t } = useTranslation();
  const { span, size, count } = useNumbers();
  return (
    <div className={classes.numbers}>
      <span className={classes.number}>
        <b>{span(recording.media_s + passed_s)}</b>
        <span>{t("live.number.time")}</span>
      </span>
      <span className={classes.number}>
        <b>{size(recording.bytes)}</b>
        <span>
          {line?.bitrate_bps ? t("app.working.rate", { rate: size(line.bitrate_bps / 8) }) : t("live.number.size")}
        </span>
      </span>
      <span className={`${classes.number} ${recording.gaps ? classes.gaps : ""}`}>
        <b>{count(recording.gaps)}</b>
        <span>
          {recording.gaps ? t("live.number.missing", { span: span(recording.missing_s) }) : t("live.number.gaps")}
        </span>
      </span>
      {line?.quality && (
        <span className={classes.number}>
          <b>{line.quality}</b>
          <span>{t("live.number.quality")}</span>
        </span>
      )}
    </div>
  );
}

export function Actions({ channel }: { channel: Channel }) {
  const { t } = useTranslation();
  const { act, busy, watch, remove } = useActions(channel);
  const recorded = channel.recording && channel.recording.state !== "finishing";
  return (
    <>
      {recorded ? (
        <>
          <Tooltip label={t("live.do.split")}>
            <ActionIcon
              aria-label={`${t("live.do.split")}: ${channel.name}`}
              loading={busy === "split"}
              onClick={() => act("split")}
            >
              <Scissors size={16} />
            </ActionIcon>
          </Tooltip>
          <Tooltip label={t("live.do.stop")}>
            <ActionIcon
              aria-label={`${t("live.do.stop")}: ${channel.name}`}
              loading={busy === "stop"}
              onClick={() => act("stop")}
            >
              <Square size={16} />
            </ActionIcon>
          </Tooltip>
        </>
      ) : (
        <Tooltip label={t("live.do.record")}>
          <ActionIcon
            aria-label={`${t("live.do.record")}: ${channel.name}`}
            loading={busy === "record"}
            onClick={() => act("record")}
          >
            <CircleDot size={16} />
          </ActionIcon>
        </Tooltip>
      )}
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <ActionIcon aria-label={`${t("app.more")}: ${channel.name}`}>
            <Ellipsis size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<RefreshCw size={15} aria-hidden />} onClick={() => act("check")}>
            {t("live.do.check")}
          </Menu.Item>
          <Menu.Item
            leftSection={channel.watch ? <EyeOff size={15} aria-hidden /> : <Eye size={15} aria-hidden />}
            onClick={() => void watch(!channel.watch)}
          >
            {t(channel.watch ? "live.do.unwatch" : "live.do.watch")}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<Trash2 size={15} aria-hidden />} onClick={() => void remove()}>
            {t("live.do.remove")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
