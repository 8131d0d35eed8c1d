import { Drawer, SimpleGrid, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useTranslation } from "react-i18next";
import classes from "./Phone.module.css";
import { useSections } from "./sections";

const IN_BAR = 4;

/** The bar at the foot of a phone: four places, and the others in a sheet. */
export function Phone() {
  const { t } = useTranslation();
  const sections = useSections();
  const [open, { open: show, close }] = useDisclosure(false);
  const bar = sections.length <= IN_BAR + 1 ? sections : sections.slice(0, IN_BAR);
  const rest = sections.slice(bar.length);
  return (
    <div className={classes.bar}>
      {bar.map((each) => (
        <Link
          key={each.to}
          to={each.to}
          className={classes.item}
          activeOptions={{ exact: each.to === "/", includeSearch: false }}
        >
          <each.icon size={21} strokeWidth={1.8} aria-hidden />
          <span>{t(`app.section.${each.name}`)}</span>
        </Link>
      ))}
      {rest.length > 0 && (
        <UnstyledButton className={classes.item} onClick={show} aria-expanded={open}>
          <Ellipsis size={21} aria-hidden />
          <span>{t("app.more")}</span>
        </UnstyledButton>
      )}
      <Drawer
        opened={open}
        onClose={close}
        position="bottom"
        size="auto"
        title={t("app.more")}
        closeButtonProps={{ "aria-label": t("app.close") }}
      >
        <SimpleGrid cols={3} pb="md">
          {rest.map((each) => (
            <Link key={each.to} to={each.to} className={classes.tile} onClick={close}>
              <each.icon size={24} strokeWidth={1.7} aria-hidden />
              <Text size="xs">{t(`app.section.${each.name}`)}</Text>
            </Link>
          ))}
        </SimpleGrid>
      </Drawer>
    </div>
  );
}
