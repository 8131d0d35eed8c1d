import { Button, Chip, Group, Modal, Select, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Radio, Search, SearchX } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useMay } from "../../api/session";
import { useKeys } from "../../app/keys";
import { useStatus } from "../../app/status";
import { AddChannel } from "../../ui/AddChannel";
import { Empty } from "../../ui/Empty";
import { stateOf, toneOf } from "../../ui/StateMark";
import { TroubleText } from "../../ui/TroubleText";
import { useNow } from "../../ui/useNow";
import { ChannelPanel } from "./ChannelPanel";
import classes from "./Live.module.css";
import { type Channel, useChannels } from "./queries";
import type { LiveSearch } from "./route";
import { Tile } from "./Tile";
import { Tiles } from "./Tiles";

const FILTERS = ["on_air", "recording", "troubled"] as const;

/** Who is on air and in trouble first, then who is recorded, then others on air, other trouble, the rest; by name. */
function urgency(channel: Channel): number {
  const state = stateOf(channel);
  if (state === "parked" || state === "paused") return 0;
  if (channel.recording && state !== "waiting") return 1;
  if (state === "live") return 2;
  return toneOf(state) === "bad" ? 3 : 4;
}

const PASSES: Record<(typeof FILTERS)[number], (channel: Channel) => boolean> = {
  on_air: (channel) => channel.state === "live" || Boolean(channel.recording),
  recording: (channel) => Boolean(channel.recording),
  troubled: (channel) => toneOf(stateOf(channel)) === "bad",
};

export function Live() {
  const { t, i18n } = useTranslation();
  const search = useSearch({ from: "/shell/" });
  const navigate = useNavigate({ from: "/" });
  const mayEdit = useMay("write");
  const [adding, { open: add, close }] = useDisclosure(false);
  const { channels, error, isPending, dataUpdatedAt } = useChannels();
  const rates = new Map(useStatus().data?.channels.map((each) => [each.id, each]));
  const now = useNow(1000, channels?.some((each) => each.recording) ?? false);
  useKeys(mayEdit ? { a: add } : {});

  const set = (change: LiveSearch) =>
    void navigate({
      search: (before) =>
        Object.fromEntries(
          Object.entries({ ...before, ...change }).filter(([, value]) => value !== undefined && value !== ""),
        ),
      replace: true,
    });
  if (error && !channels) return <TroubleText error={error} />;

  const labels = [...new Set(channels?.flatMap((each) => each.labels))].sort();
  const text = search.text?.toLocaleLowerCase() ?? "";
  const shown = (channels ?? [])
    .filter((each) => !search.state || PASSES[search.state](each))
    .filter((each) => !search.label || each.labels.includes(search.label))
    .filter(
      (each) =>
        !text ||
        [each.name, each.title ?? "", each.platform, ...each.aliases].some((word) =>
          word.toLocaleLowerCase().includes(text),
        ),
    )
    .sort((one, other) => urgency(one) - urgency(other) || one.name.localeCompare(other.name, i18n.language));

  return (
    <Stack gap="md">
      <Group justify="space-between" gap="sm">
        <Title order={1} size="h2">
          {t("app.section.live")}
        </Title>
        {mayEdit && (
          <Button leftSection={<Plus size={17} aria-hidden />} onClick={add}>
            {t("channel.add")}
          </Button>
        )}
      </Group>
      {channels && channels.length > 0 && (
        <Group gap="xs" className={classes.bar} role="search">
          <TextInput
            leftSection={<Search size={15} aria-hidden />}
            placeholder={t("live.filter")}
            aria-label={t("live.filter")}
            value={search.text ?? ""}
            onChange={(event) => set({ text: event.currentTarget.value })}
            className={classes.filter}
          />
          <Chip.Group value={search.state ?? null}>
            {FILTERS.map((each) => (
              <Chip
                key={each}
                value={each}
                checked={search.state === each}
                onClick={() => set({ state: search.state === each ? undefined : each } as LiveSearch)}
                onChange={() => {}}
                size="sm"
                variant="light"
              >
                {t(`live.only.${each}`, { count: channels.filter(PASSES[each]).length })}
              </Chip>
            ))}
          </Chip.Group>
          {labels.length > 0 && (
            <Select
              data={labels}
              value={search.label ?? null}
              onChange={(label) => set({ label: label ?? "" })}
              placeholder={t("live.label")}
              aria-label={t("live.label")}
              clearable
              searchable
              w={170}
            />
          )}
          <Text size="sm" c="dimmed" ml="auto" role="status">
            {t("live.count", { count: shown.length })}
          </Text>
        </Group>
      )}
      {isPending && (
        <div className={classes.grid}>
          {["a", "b", "c", "d", "e", "f"].map((each) => (
            <Skeleton key={each} h={170} radius="lg" />
          ))}
        </div>
      )}
      {channels?.length === 0 && (
        <Empty icon={Radio} title={t("live.none.title")} text={t(mayEdit ? "live.none.text" : "live.none.viewer")}>
          {mayEdit && (
            <Button leftSection={<Plus size={17} aria-hidden />} onClick={add}>
              {t("channel.add")}
            </Button>
          )}
        </Empty>
      )}
      {channels && channels.length > 0 && shown.length === 0 && (
        <Empty icon={SearchX} title={t("live.noMatch.title")} text={t("live.noMatch.text")}>
          <Button variant="default" onClick={() => void navigate({ search: {} })}>
            {t("live.noMatch.clear")}
          </Button>
        </Empty>
      )}
      <Tiles
        channels={shown}
        render={(channel) => (
          <Tile
            channel={channel}
            line={rates.get(channel.id)}
            now={now}
            at={dataUpdatedAt}
            mayEdit={mayEdit}
            onOpen={() => set({ channel: channel.id })}
          />
        )}
      />
      <Modal
        opened={adding}
        onClose={close}
        title={t("channel.add")}
        closeButtonProps={{ "aria-label": t("app.close") }}
      >
        <AddChannel onAdded={close} />
      </Modal>
      {search.channel && <ChannelPanel key={search.channel} id={search.channel} onClose={() => set({ channel: "" })} />}
    </Stack>
  );
}
