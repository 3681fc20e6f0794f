package io.peftj.djl.chat.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Python's operations on strings. */
final class Strings {
    private Strings() {}

    /** What Python counts as white space, which is more than Java does. */
    static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    static String strip(String text) {
        return stripLeading(stripTrailing(text));
    }

    static String stripLeading(String text) {
        return stripLeading(text, Strings::isSpace);
    }

    static String stripTrailing(String text) {
        return stripTrailing(text, Strings::isSpace);
    }

    static String stripLeading(String text, IntPredicate which) {
        int begin = 0;
        while (begin < text.length() && which.test(text.charAt(begin))) {
            begin++;
        }
        return text.substring(begin);
    }

    static String stripTrailing(String text, IntPredicate which) {
        int end = text.length();
        while (end > 0 && which.test(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    /**
     * The parts between separators.
     *
     * @param separator null for white space, of which any amount separates and none stands at the ends
     * @param most how many times to cut; below 0 for as often as possible
     */
    static List<Object> split(String text, @Nullable String separator, long most) {
        List<Object> parts = new ArrayList<>();
        String rest = separator == null ? stripLeading(text) : text;
        while (most < 0 || parts.size() < most) {
            int at = separator == null ? firstSpace(rest) : rest.indexOf(separator);
            if (at < 0) {
                break;
            }
            parts.add(rest.substring(0, at));
            rest = separator == null ? stripLeading(rest.substring(at)) : rest.substring(at + separator.length());
        }
        if (separator != null || !rest.isEmpty()) {
            parts.add(rest);
        }
        return parts;
    }

    private static int firstSpace(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (isSpace(text.charAt(i))) {
                return i;
            }
        }
        return -1;
    }

    /** The first {@code most} places replaced; all below 0. */
    static String replace(String text, String from, String to, long most) {
        if (most < 0) {
            return text.replace(from, to);
        }
        StringBuilder result = new StringBuilder();
        int at = 0;
        for (long count = 0; count < most; count++) {
            int found = text.indexOf(from, at);
            if (found < 0) {
                break;
            }
            result.append(text, at, found).append(to);
            at = found + from.length();
        }
        return result.append(text.substring(at)).toString();
    }

    /** The first letter of each word large, the others small. */
    static String title(String text) {
        StringBuilder result = new StringBuilder();
        boolean begins = true;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            result.append(begins ? Character.toUpperCase(c) : Character.toLowerCase(c));
            begins = !Character.isLetter(c);
        }
        return result.toString();
    }
}
