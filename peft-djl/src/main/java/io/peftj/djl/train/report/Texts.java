package io.peftj.djl.train.report;

import java.time.Duration;
import java.util.Locale;

/** How numbers are written for people. */
final class Texts {
    static final double MEBIBYTE = 1 << 20;
    static final double GIBIBYTE = 1 << 30;

    /** Rows of a table of the hardest ones. */
    static final int HARDEST = 50;

    private static final int LONGEST = 160;

    private Texts() {}

    /** A whole number with commas. */
    static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /** The nearest whole number with commas. */
    static String count(double value) {
        return count(Math.round(value));
    }

    /** With about four digits, and a power of ten where it is very large or small: 0.1564, 12.5, 3e-4. */
    static String number(double value) {
        double size = Math.abs(value);
        if (value == 0 || !Double.isFinite(value)) {
            return value == 0 ? "0" : "∞";
        }
        if (size >= 1e6 || size < 1e-3) {
            String text = String.format(Locale.ROOT, "%.2e", value);
            int e = text.indexOf('e');
            return shortened(text.substring(0, e)) + "e" + Integer.parseInt(text.substring(e + 1));
        }
        int decimals = Math.max(0, 3 - (int) Math.floor(Math.log10(size)));
        return shortened(String.format(Locale.ROOT, "%,." + Math.min(decimals, 4) + "f", value));
    }

    /** With four decimals, to be read in columns. */
    static String fixed(double value) {
        return Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6
                ? number(value)
                : String.format(Locale.ROOT, "%,.4f", value);
    }

    /** A share of 1 as a percentage. */
    static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", share * 100);
    }

    /** In MiB or GiB. */
    static String bytes(double bytes) {
        return bytes < GIBIBYTE
                ? shortened(String.format(Locale.ROOT, "%,.1f", bytes / MEBIBYTE)) + " MiB"
                : shortened(String.format(Locale.ROOT, "%.2f", bytes / GIBIBYTE)) + " GiB";
    }

    /** Hours, minutes, seconds: the two largest that there are. */
    static String time(Duration time) {
        if (time.toHours() > 0) {
            return time.toHours() + " h " + time.toMinutesPart() + " min";
        }
        if (time.toMinutes() > 0) {
            return time.toMinutes() + " min " + time.toSecondsPart() + " s";
        }
        return shortened(String.format(Locale.ROOT, "%.1f", time.toMillis() / 1e3)) + " s";
    }

    /** A text's beginning, to be shown in a table. */
    static String beginning(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…";
    }

    private static String shortened(String number) {
        return number.contains(".") ? number.replaceAll("0+$", "").replaceAll("\\.$", "") : number;
    }

    /** For a place inside or between elements, or inside a quoted attribute. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(Character.isISOControl(c) ? ' ' : c);
            }
        }
        return escaped.toString();
    }
}
