package org.hirengine.benchmarks.study;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** SVG plots of held-out accuracy against each cost: mean over seeds, bars of 95%. */
final class Plots {

  private record Cost(String name, String title, ToDoubleFunction<Curve.Point> value) {}

  private static final List<Cost> COSTS =
      List.of(
          new Cost("rollouts", "sampled responses", Curve.Point::rollouts),
          new Cost("tokens", "generated tokens", Curve.Point::tokens),
          new Cost("rows", "trained rows", Curve.Point::rows),
          new Cost("updates", "optimizer updates", Curve.Point::updates),
          new Cost("seconds", "processor seconds of training", Curve.Point::seconds));

  /** Colours that colour-blind readers can tell apart (Okabe and Ito). */
  private static final List<Color> COLOURS =
      List.of(
          new Color(0x000000),
          new Color(0x0072B2),
          new Color(0x999999),
          new Color(0x56B4E9),
          new Color(0xE69F00),
          new Color(0xD55E00),
          new Color(0x009E73),
          new Color(0xCC79A7),
          new Color(0x6A3D9A),
          new Color(0xB15928));

  private Plots() {}

  static void write(Results results, StudyPlan plan, Path folder) throws IOException {
    Files.createDirectories(folder);
    for (String setting : plan.settings().keySet()) {
      for (String table : plan.tables()) {
        String name = table.isEmpty() ? setting : setting + "-" + table;
        Map<String, List<Curve>> methods = results.of(setting, table);
        for (Cost cost : methods.isEmpty() ? List.<Cost>of() : COSTS) {
          XYChart ila =
              chart(methods, name + ": all constraints (ILA)", cost, Curve.Point::ila, 820, 480);
          XYChart cla =
              chart(methods, name + ": constraints (CLA)", cost, Curve.Point::cla, 820, 480);
          svg(ila, folder.resolve(name + "-ila-" + cost.name + ".svg"));
          svg(cla, folder.resolve(name + "-cla-" + cost.name + ".svg"));
        }
      }
    }
  }

  /** The main figure: ILA against rollouts, the settings side by side. */
  static void writeFigure(Results results, StudyPlan plan, Path file) throws IOException {
    List<XYChart> charts = new ArrayList<>();
    for (String setting : plan.settings().keySet()) {
      Map<String, List<Curve>> methods = results.of(setting, "");
      if (!methods.isEmpty()) {
        XYChart chart = chart(methods, setting, COSTS.get(0), Curve.Point::ila, 560, 520);
        chart.getStyler().setLegendPosition(LegendPosition.InsideNW);
        chart.getStyler().setXAxisMaxLabelCount(5);
        charts.add(chart);
      }
    }
    if (!charts.isEmpty()) {
      BitmapEncoder.saveBitmap(charts, 1, charts.size(), file.toString(), BitmapFormat.PNG);
    }
  }

  private static void svg(XYChart chart, Path file) throws IOException {
    VectorGraphicsEncoder.saveVectorGraphic(chart, file.toString(), VectorGraphicsFormat.SVG);
  }

  private static XYChart chart(
      Map<String, List<Curve>> methods,
      String title,
      Cost cost,
      ToDoubleFunction<Curve.Point> accuracy,
      int width,
      int height) {
    XYChart chart =
        new XYChartBuilder()
            .width(width)
            .height(height)
            .title(title)
            .xAxisTitle(cost.title)
            .yAxisTitle("held-out requests, %")
            .build();
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setLegendBorderColor(Color.WHITE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xE5E5E5));
    chart.getStyler().setYAxisMin(0.0);
    int[] next = {0};
    methods.forEach(
        (method, runs) -> {
          double[] x =
              Results.over(runs, cost.value).stream().mapToDouble(Interval::mean).toArray();
          List<Interval> y = Results.over(runs, accuracy);
          XYSeries series =
              chart.addSeries(
                  method,
                  x,
                  y.stream().mapToDouble(i -> 100 * i.mean()).toArray(),
                  y.stream().mapToDouble(i -> 100 * i.half()).toArray());
          series.setMarker(SeriesMarkers.NONE);
          series.setLineColor(COLOURS.get(next[0]++ % COLOURS.size()));
          series.setLineStyle(new BasicStroke(2));
        });
    return chart;
  }
}
