import { Anchor, Badge, Code, Drawer, Group, Loader, Stack, Text, Timeline } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "../../api/client";
import { useMay } from "../../api/session";
import { StateMark, stateOf } from "../../ui/StateMark";
import { TroubleText } from "../../ui/TroubleText";
import { useNumbers } from "../../words/numbers";
import { sentence } from "../../words/sentences";
import { useChannel } from "./queries";
import { Actions } from "./Tile";

const SHOWN = 12;

/** A channel beside the tiles: what is known of it, the proof, and what it was before. */
export function ChannelPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { ago, when } = useNumbers();
  const mayEdit = useMay("write");
  const { data, error } = useChannel(id);
  const history = useQuery({
    queryKey: ["channels", id, "history"],
    queryFn: () =>
      told(
        api.GET("/api/channels/{channel_id}/history", {
          params: { path: { channel_id: id }, query: { limit: SHOWN } },
        }),
      ),
  });
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="md"
      title={data?.name ?? t("app.section.live")}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      {error && <TroubleText error={error} />}
      {!data && !error && <Loader />}
      {data && (
        <Stack>
          <Group justify="space-between">
            <Group gap="xs">
              <StateMark state={stateOf(data)} />
              <Badge variant="default" tt="none">
                {data.platform}
              </Badge>
            </Group>
            <Group gap={2}>{mayEdit && <Actions channel={data} />}</Group>
          </Group>
          {data.title && <Text fw={600}>{data.title}</Text>}
          {data.code && (
            <Text size="sm" c="var(--ouzel-bad)">
              {sentence(data.code)}
            </Text>
          )}
          <Stack gap={4}>
            {data.addresses.map((each) => (
              <Anchor
                key={each}
                href={/^https?:/.test(each) ? each : undefined}
                target="_blank"
                rel="noreferrer"
                size="sm"
                truncate
              >
                {each}
              </Anchor>
            ))}
          </Stack>
          <Text size="sm" c="dimmed">
            {data.asked_at ? t("live.panel.asked", { ago: ago(data.asked_at) }) : t("live.never")}
            {data.due_at && ` · ${t("live.panel.due", { ago: ago(data.due_at) })}`}
          </Text>
          {data.standing.evidence.length > 0 && (
            <Stack gap={4}>
              <Text fw={600} size="sm">
                {t("live.panel.evidence")}
              </Text>
              <Code block fz={11} mah={260} style={{ overflow: "auto" }} tabIndex={0}>
                {JSON.stringify(data.standing.evidence, null, 1)}
              </Code>
            </Stack>
          )}
          {history.data && history.data.items.length > 0 && (
            <>
              <Text fw={600} size="sm">
                {t("live.panel.history")}
              </Text>
              <Timeline bulletSize={14} lineWidth={2}>
                {history.data.items.map((each) => (
                  <Timeline.Item key={each.number} title={t(`channel.state.${each.state}`)}>
                    <Text size="xs" c="dimmed">
                      {when(each.at)}
                      {each.code && ` · ${sentence(each.code)}`}
                    </Text>
                  </Timeline.Item>
                ))}
              </Timeline>
            </>
          )}
        </Stack>
      )}
    </Drawer>
  );
}
