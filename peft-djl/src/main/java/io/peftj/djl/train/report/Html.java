package io.peftj.djl.train.report;

import static io.peftj.djl.train.report.Texts.escape;

import java.util.List;
import java.util.Map;

/** Parts that reports have in common. All texts are escaped here. */
final class Html {
    private Html() {}

    /** An important number. */
    static void card(StringBuilder cards, String name, String value, String more) {
        cards.append("<div class=\"card\"><h2>").append(escape(name)).append("</h2><p class=\"value\">");
        cards.append(escape(value)).append("</p><p>").append(escape(more)).append("</p></div>\n");
    }

    /** Named values in named groups; empty groups are left out. */
    static String facts(String title, Map<String, Map<String, String>> groups) {
        StringBuilder html = new StringBuilder();
        html.append("<section aria-label=\"").append(escape(title)).append("\"><h2>");
        html.append(escape(title)).append("</h2>\n<div class=\"facts\">\n");
        groups.forEach((name, values) -> {
            if (!values.isEmpty()) {
                html.append("<div><h3>").append(escape(name)).append("</h3><dl>\n");
                values.forEach((key, value) -> html.append("<dt>")
                        .append(escape(key))
                        .append("</dt><dd>")
                        .append(escape(value.replace("\",\"", "\", \""))) // lists break after commas
                        .append("</dd>\n"));
                html.append("</dl></div>\n");
            }
        });
        return html.append("</div>\n</section>\n").toString();
    }

    /** {@link #table} whose first column has sentences, which may take several lines. */
    static String tableOfTexts(String title, String explanation, List<String> columns, List<List<String>> rows) {
        return table(title, explanation, columns, rows).replace("<table>", "<table class=\"texts\">");
    }

    /** A table in a section of its own; the first cell of each row is its heading. */
    static String table(String title, String explanation, List<String> columns, List<List<String>> rows) {
        StringBuilder html = new StringBuilder();
        html.append("<section aria-label=\"")
                .append(escape(title))
                .append("\"><h2>")
                .append(escape(title));
        html.append("</h2><p class=\"quiet\">").append(escape(explanation)).append("</p>\n");
        html.append("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
        html.append(escape(title)).append("\"><table>\n<thead><tr>");
        columns.forEach(column ->
                html.append("<th scope=\"col\">").append(escape(column)).append("</th>"));
        html.append("</tr></thead><tbody>\n");
        for (List<String> row : rows) {
            html.append("<tr><th scope=\"row\">").append(escape(row.get(0))).append("</th>");
            row.subList(1, row.size())
                    .forEach(cell -> html.append("<td>").append(escape(cell)).append("</td>"));
            html.append("</tr>\n");
        }
        return html.append("</tbody></table></div></section>\n").toString();
    }
}
