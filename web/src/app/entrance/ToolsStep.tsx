import { Group, Loader, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { api, told } from "../../api/client";
import { TroubleText } from "../../ui/TroubleText";

/** Whether the daemon itself says that it works. */
export function ToolsStep() {
  const { t } = useTranslation();
  const health = useQuery({ queryKey: ["health"], queryFn: () => told(api.GET("/health")) });
  const platforms = useQuery({ queryKey: ["platforms"], queryFn: () => told(api.GET("/api/platforms")) });
  if (health.error || platforms.error) return <TroubleText error={health.error ?? platforms.error} />;
  if (!health.data || !platforms.data) return <Loader />;
  const { version, degraded } = health.data;
  return (
    <Stack>
      <Line well words={t("door.setup.version", { version })} />
      {degraded.length === 0 && <Line well words={t("door.setup.works")} />}
      {degraded.map((each) => (
        <Line key={each} well={false} words={t("door.setup.degraded", { name: each })} />
      ))}
      <Line well words={t("door.setup.platforms", { count: platforms.data.items.length })} />
      <Text size="sm" c="dimmed">
        {t("door.setup.check")} <code>ouzel check</code>
      </Text>
    </Stack>
  );
}

function Line({ well, words }: { well: boolean; words: string }) {
  return (
    <Group gap="xs" wrap="nowrap">
      {well ? (
        <CircleCheck size={18} color="var(--ouzel-good)" aria-hidden />
      ) : (
        <CircleAlert size={18} color="var(--ouzel-bad)" aria-hidden />
      )}
      <Text size="sm">{words}</Text>
    </Group>
  );
}
