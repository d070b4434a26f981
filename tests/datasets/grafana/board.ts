/** A dashboard, as strictly as the types of Grafana and of the panels that are used say it. */

import type {
  Dashboard,
  DataQuery,
  DataSourceRef,
  FieldConfigSource,
  GridPos,
  Panel,
} from "@grafana/schema";
import type * as barchart from "@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen.d.ts";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.d.ts";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen.d.ts";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.d.ts";

/** The type of the same in JSON, where the value of an enumeration is a text or a number. */
type Json<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends (infer Item)[]
      ? Json<Item>[]
      : T extends object
        ? { [Name in keyof T]: Json<T[Name]> }
        : T;

/** What is asked of PostgreSQL, and of Prometheus: no types of these are published alone. */
interface SqlQuery extends DataQuery {
  datasource: DataSourceRef;
  editorMode: "code";
  format: "table" | "time_series";
  rawQuery: true;
  rawSql: string;
}

interface PromQuery extends DataQuery {
  datasource: DataSourceRef;
  editorMode: "code";
  range: boolean;
  expr: string;
  legendFormat: string;
}

/** The options of each kind of panel, and those of its fields. */
type Kinds = {
  barchart: [barchart.Options, barchart.FieldConfig];
  stat: [stat.Options, Record<string, never>];
  table: [table.Options, table.FieldConfig];
  timeseries: [timeseries.Options, timeseries.FieldConfig];
};

type PanelOf<Kind extends keyof Kinds> = Omit<Panel, "fieldConfig" | "options" | "targets"> & {
  type: Kind;
  title: string;
  description: string;
  gridPos: GridPos;
  datasource: DataSourceRef;
  targets: (SqlQuery | PromQuery)[];
  options: Partial<Kinds[Kind][0]>;
  fieldConfig: FieldConfigSource<Kinds[Kind][1]>;
};

type AnyPanel = { [Kind in keyof Kinds]: PanelOf<Kind> }[keyof Kinds];

export type Board = Json<Omit<Dashboard, "panels"> & { panels: AnyPanel[] }>;
