package io.peftj.djl.train.report;

import static io.peftj.djl.train.report.Texts.escape;

import com.google.gson.JsonObject;
import io.peftj.core.io.Json;
import io.peftj.djl.train.TrainingEvent;
import io.peftj.djl.train.TrainingEvent.Reason;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The page of a report.
 *
 * @param last the last step; null before the first
 * @param facts what the caller adds
 * @param reason why the run ended; null while it goes on
 */
record Page(
        String title,
        TrainingEvent.Start start,
        TrainingEvent.@Nullable Step last,
        History history,
        Map<String, String> facts,
        @Nullable Reason reason) {
    private static final String DATA = "<script type=\"application/json\" id=\"data\">";
    private static final String END = "</script>";

    /** The data that a page carries. */
    static String data(String html) {
        int from = html.indexOf(DATA) + DATA.length();
        return html.substring(from, html.indexOf(END, from));
    }

    /**
     * The whole page.
     *
     * @param data for the page's script, and for the report of a resumed run
     */
    String html(JsonObject data) {
        Charts charts = new Charts(start, history);
        // Inside a script element nothing is escaped, and only this ends it.
        String json = Json.writeCompact(data).replace("<", "\\u003c");
        String body = cards() + charts.html() + evaluations() + settings() + """
                <section aria-label="Steps"><h2>Steps</h2>
                <details><summary>The numbers behind the curves</summary>
                <div class="scroll" tabindex="0" role="region" aria-label="Table of steps">%s</div></details>
                </section>
                """.formatted(charts.table());
        String badge = "<div class=\"status %s\">%s</div>"
                .formatted(status().toLowerCase(Locale.ROOT).replace(' ', '-'), status());
        String script = DATA + json + END + "\n<script>\n" + Shell.resource("report.js") + END;
        return new Shell(title, badge, subtitle(), body, script).html();
    }

    private String status() {
        return reason == null
                ? "Running"
                : switch (reason) {
                    case COMPLETED -> "Completed";
                    case STOPPED_EARLY -> "Stopped early";
                    case CANCELLED -> "Cancelled";
                    case FAILED -> "Failed";
                };
    }

    private String subtitle() {
        String text = start.method() + " on " + start.run().base() + ", " + Texts.count(start.trainable())
                + " trained numbers, " + Texts.count(start.examples()) + " examples";
        if (start.validationExamples() > 0) {
            text += " and " + Texts.count(start.validationExamples()) + " to validate";
        }
        long missing = history.missing();
        return missing == 0
                ? text
                : text + ". The run was resumed; " + Texts.count(missing)
                        + " steps before the interruption are not in this report";
    }

    // ---- the most important numbers ----

    private String cards() {
        StringBuilder cards = new StringBuilder("<section class=\"cards\" aria-label=\"Key numbers\">\n");
        History.Evaluated best = history.best();
        if (best != null) {
            Map.Entry<String, Double> score = Scores.foremost(best);
            Html.card(
                    cards,
                    "Best " + Scores.text(score.getKey()),
                    Scores.value(score.getKey(), score.getValue()),
                    "after epoch " + best.epoch());
        }
        long step = history.buckets().lastStep();
        if (step > 0) {
            List<Bucket> all = history.buckets().all();
            double first = all.get(0).stat(Quantity.LOSS).mean();
            double now =
                    last == null ? all.get(all.size() - 1).stat(Quantity.LOSS).mean() : last.loss();
            Html.card(cards, "Training loss", Texts.number(now), "last step; first " + Texts.number(first));
        }
        int epochs = history.epochs();
        Html.card(
                cards,
                "Steps",
                Texts.count(step),
                "of " + Texts.count(start.steps()) + "; " + epochs + " of " + start.epochs()
                        + (start.epochs() == 1 ? " epoch" : " epochs"));
        Html.card(cards, "Time", Texts.time(history.elapsed()), "evaluations included");
        Stat speed = total(Quantity.TOKENS_PER_SECOND);
        if (!speed.isNone()) {
            Html.card(cards, "Speed", Texts.count(speed.mean()), "tokens a second, steps alone");
        }
        Stat resident = total(Quantity.RESIDENT_BYTES);
        Stat tensors = total(Quantity.NATIVE_BYTES);
        if (!resident.isNone()) {
            Html.card(cards, "Memory", Texts.bytes(resident.max()), "resident; tensors " + Texts.bytes(peak(tensors)));
        } else if (!tensors.isNone()) {
            Html.card(cards, "Memory", Texts.bytes(peak(tensors)), "tensors at once at most");
        }
        return cards.append("</section>\n").toString();
    }

    private double peak(Stat tensors) {
        return last == null ? tensors.max() : (double) last.peakNativeBytes();
    }

    private Stat total(Quantity quantity) {
        return history.buckets().all().stream()
                .map(bucket -> bucket.stat(quantity))
                .reduce(Stat.NONE, Stat::and);
    }

    // ---- tables ----

    private String evaluations() {
        List<History.Evaluated> all = history.evaluations();
        if (all.isEmpty()) {
            return "";
        }
        History.Evaluated best = history.best();
        StringBuilder rows = new StringBuilder();
        rows.append("<section aria-label=\"Evaluations\"><h2>Evaluations</h2>");
        rows.append(
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of evaluations\"><table>\n");
        rows.append("<thead><tr><th scope=\"col\">epoch</th><th scope=\"col\">after step</th>");
        all.get(0)
                .scores()
                .keySet()
                .forEach(name -> rows.append("<th scope=\"col\">")
                        .append(escape(Scores.text(name)))
                        .append("</th>"));
        rows.append("</tr></thead><tbody>\n");
        for (History.Evaluated each : all) {
            boolean chosen = each.equals(best);
            rows.append(chosen ? "<tr class=\"best\"><th scope=\"row\">" : "<tr><th scope=\"row\">");
            rows.append(each.epoch()).append(chosen ? " <em>best</em>" : "").append("</th><td>");
            rows.append(Texts.count(each.step())).append("</td>");
            each.scores()
                    .forEach((name, value) -> rows.append("<td>")
                            .append(Scores.value(name, value))
                            .append("</td>"));
            rows.append("</tr>\n");
        }
        return rows.append("</tbody></table></div></section>\n").toString();
    }

    private String settings() {
        Map<String, Map<String, String>> groups = new LinkedHashMap<>();
        groups.put("Run", facts);
        start.run().settings().forEach((name, value) -> {
            int dot = name.indexOf('.');
            String group = dot < 0 ? "run" : name.substring(0, dot);
            groups.computeIfAbsent(capital(group), key -> new LinkedHashMap<>()).put(name.substring(dot + 1), value);
        });
        groups.put("Environment", start.run().environment());
        return Html.facts("Settings", groups);
    }

    private static String capital(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }
}
