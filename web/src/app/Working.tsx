import { Badge, Group, Popover, Stack, Text, UnstyledButton } from "@mantine/core";
import { Activity, CircleDot } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNumbers } from "../words/numbers";
import { useStatus } from "./status";
import classes from "./Working.module.css";

const SHOWN = 12;

/** How much is being recorded and fetched, and how fast. */
export function Working() {
  const { t } = useTranslation();
  const { size, count } = useNumbers();
  const { data } = useStatus();
  if (!data) return null;
  const { totals } = data;
  const tasks = data.tasks.filter(
    (each) => each.state === "running" && (each.kind === "download" || each.kind === "job"),
  );
  const busy = totals.recording + tasks.length > 0;
  const rate = t("app.working.rate", { rate: size(totals.bitrate_bps / 8) });
  const words = [
    totals.recording > 0 && t("app.working.recording", { count: totals.recording }),
    tasks.length > 0 && t("app.working.tasks", { count: tasks.length }),
    totals.recording > 0 && rate,
  ].filter(Boolean);
  // what is read aloud begins with what is seen
  const shown = busy
    ? [count(totals.recording + tasks.length), totals.recording > 0 && rate].filter(Boolean).join(" ")
    : t("app.working.idle");
  return (
    <Popover width={320} position="bottom-end" shadow="lg">
      <Popover.Target>
        <UnstyledButton
          className={classes.pill}
          data-busy={busy || undefined}
          aria-label={`${t("app.working.title")}: ${shown}${words.length ? ` (${words.join(", ")})` : ""}`}
        >
          {totals.recording > 0 ? <CircleDot size={15} aria-hidden /> : <Activity size={15} aria-hidden />}
          <Text span size="xs" fw={650}>
            {busy ? count(totals.recording + tasks.length) : t("app.working.idle")}
          </Text>
          {totals.recording > 0 && (
            <Text span size="xs" visibleFrom="md">
              {rate}
            </Text>
          )}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <Text fw={650}>{t("app.working.title")}</Text>
          <Text size="sm" c="dimmed">
            {busy ? words.join(" · ") : t("app.working.none")}
          </Text>
          {tasks.slice(0, SHOWN).map((each) => (
            <Group key={`${each.kind}${each.key}`} gap="xs" wrap="nowrap">
              <Badge size="sm" variant="light">
                {t(`app.working.kind.${each.kind}`)}
              </Badge>
              <Text size="sm" truncate>
                {each.name}
              </Text>
            </Group>
          ))}
          {totals.gaps > 0 && (
            <Text size="xs" c="var(--ouzel-live)">
              {t("app.working.gaps", { count: totals.gaps })}
            </Text>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
