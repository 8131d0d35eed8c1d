import { ActionIcon, Divider, Stack, Text, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { PanelLeftClose, PanelLeftOpen } from "lucide-react";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Rail.module.css";
import { useSections } from "./sections";

export function Rail({ narrow, onNarrow }: { narrow: boolean; onNarrow: () => void }) {
  const { t } = useTranslation();
  const sections = useSections();
  const firstLow = sections.findIndex((each) => each.low);
  const say = narrow ? t("app.expand") : t("app.collapse");
  return (
    <Stack gap={3} p={10} h="100%" className={classes.rail}>
      {sections.map((each, index) => (
        <Fragment key={each.to}>
          {index === firstLow && index > 0 && <Divider my={8} color="var(--ouzel-line)" />}
          <Tooltip label={t(`app.section.${each.name}`)} position="right" disabled={!narrow}>
            <Link
              to={each.to}
              className={classes.link}
              data-narrow={narrow || undefined}
              activeOptions={{ exact: each.to === "/", includeSearch: false }}
              aria-label={narrow ? t(`app.section.${each.name}`) : undefined}
            >
              <each.icon size={19} strokeWidth={1.8} aria-hidden />
              {!narrow && (
                <Text span size="sm" fw={550} truncate>
                  {t(`app.section.${each.name}`)}
                </Text>
              )}
            </Link>
          </Tooltip>
        </Fragment>
      ))}
      <Tooltip label={say} position="right">
        <ActionIcon mt="auto" size="lg" onClick={onNarrow} aria-label={say} aria-keyshortcuts="[">
          {narrow ? <PanelLeftOpen size={18} /> : <PanelLeftClose size={18} />}
        </ActionIcon>
      </Tooltip>
    </Stack>
  );
}
