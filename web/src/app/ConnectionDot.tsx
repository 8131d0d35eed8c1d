import { Text, Tooltip } from "@mantine/core";
import { RefreshCw, Unplug } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useConnection } from "../api/events";
import { useNow } from "../ui/useNow";
import { span } from "../words/numbers";
import classes from "./ConnectionDot.module.css";

/** Live, reconnecting, or since when what is shown may be old. A form and a word, not a colour alone. */
export function ConnectionDot() {
  const { t } = useTranslation();
  const { state, since } = useConnection();
  const now = useNow(1000, state !== "live");
  const lasting = { span: span((now - since) / 1000) };
  return (
    <Tooltip label={t(`app.connection.${state}`, lasting)}>
      <div
        className={classes.place}
        data-state={state}
        role="status"
        aria-label={t(`app.connection.short.${state}`, lasting)}
      >
        {state === "live" && <span className={classes.dot} aria-hidden />}
        {state === "connecting" && <RefreshCw size={14} className={classes.turning} aria-hidden />}
        {state === "lost" && (
          <>
            <Unplug size={14} aria-hidden />
            <Text span size="xs" fw={600} visibleFrom="sm">
              {t("app.connection.short.lost", lasting)}
            </Text>
          </>
        )}
      </div>
    </Tooltip>
  );
}
