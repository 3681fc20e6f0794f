package io.peftj.djl.chat.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** JSON as Python's json.dumps(value, ensure_ascii=False, indent=…) writes it, by which models know it. */
final class Jsons {
    private Jsons() {}

    /** The text; in one line for an indent below 0. */
    static String write(Object value, int indent) {
        return write(value, indent, 0);
    }

    private static String write(Object value, int indent, int depth) {
        if (value == Values.NONE) {
            return "null";
        }
        if (value instanceof Boolean || value instanceof Long || value instanceof Double) {
            return String.valueOf(value);
        }
        if (value instanceof String text) {
            return quoted(text);
        }
        List<String> parts = new ArrayList<>();
        if (value instanceof List<?> list) {
            list.forEach(item -> parts.add(write(item, indent, depth + 1)));
            return enclosed("[", parts, "]", indent, depth);
        }
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, item) -> parts.add(quoted(Values.string(key)) + ": " + write(item, indent, depth + 1)));
            return enclosed("{", parts, "}", indent, depth);
        }
        throw new TemplateFault("tojson: " + Values.describe(value) + " cannot be written as JSON");
    }

    private static String enclosed(String open, List<String> parts, String close, int indent, int depth) {
        if (parts.isEmpty() || indent < 0) {
            return open + String.join(", ", parts) + close;
        }
        String line = "\n" + " ".repeat(indent * (depth + 1));
        return open + line + String.join("," + line, parts) + "\n" + " ".repeat(indent * depth) + close;
    }

    private static String quoted(String text) {
        StringBuilder result = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> result.append("\\\"");
                case '\\' -> result.append("\\\\");
                case '\n' -> result.append("\\n");
                case '\r' -> result.append("\\r");
                case '\t' -> result.append("\\t");
                case '\b' -> result.append("\\b");
                case '\f' -> result.append("\\f");
                default -> {
                    if (c < 0x20) {
                        result.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        result.append(c);
                    }
                }
            }
        }
        return result.append('"').toString();
    }
}
