package io.peftj.djl.chat.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Python's values as templates see them: {@code String}, {@code Long}, {@code Double}, {@code Boolean}, {@code List}, {@code Map}, {@link #NONE},
 * {@link Undefined}, {@link Callable} and {@link Namespace}.
 */
final class Values {
    /** Python's None. */
    static final Object NONE = new Object() {
        @Override
        public String toString() {
            return "None";
        }
    };

    private Values() {}

    /** What a name or key stands for that is not there. */
    record Undefined(String name) {}

    /** What a template can call. */
    @FunctionalInterface
    interface Callable {
        Object call(Arguments arguments);
    }

    /** Variables that inner scopes may set, made by namespace(). */
    record Namespace(Map<String, Object> variables) {}

    static boolean isTrue(Object value) {
        if (value instanceof Boolean flag) {
            return flag;
        }
        if (value instanceof Long number) {
            return number != 0;
        }
        if (value instanceof Double number) {
            return number != 0;
        }
        if (value instanceof String text) {
            return !text.isEmpty();
        }
        if (value instanceof List<?> list) {
            return !list.isEmpty();
        }
        if (value instanceof Map<?, ?> map) {
            return !map.isEmpty();
        }
        return value != NONE && !(value instanceof Undefined);
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    /** As print() shows it. */
    static String text(Object value) {
        if (value instanceof String text) {
            return text;
        }
        return value instanceof Undefined ? "" : repr(value);
    }

    /** As Python shows it inside a list. */
    private static String repr(Object value) {
        if (value instanceof String text) {
            char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
            String escaped = text.replace("\\", "\\\\")
                    .replace("\n", "\\n")
                    .replace("\t", "\\t")
                    .replace("\r", "\\r");
            return quote + (quote == '\'' ? escaped.replace("'", "\\'") : escaped) + quote;
        }
        if (value instanceof Boolean flag) {
            return flag ? "True" : "False";
        }
        if (value instanceof List<?> list) {
            List<String> parts = new ArrayList<>();
            list.forEach(part -> parts.add(repr(part)));
            return "[" + String.join(", ", parts) + "]";
        }
        if (value instanceof Map<?, ?> map) {
            List<String> parts = new ArrayList<>();
            map.forEach((key, part) -> parts.add(repr(key) + ": " + repr(part)));
            return "{" + String.join(", ", parts) + "}";
        }
        if (value instanceof Undefined || value instanceof Callable || value instanceof Namespace) {
            throw new TemplateFault(describe(value) + " cannot be written as text");
        }
        return String.valueOf(value);
    }

    /** Names a value in messages. */
    static String describe(Object value) {
        if (value instanceof Undefined undefined) {
            return "\"" + undefined.name() + "\", which is not defined,";
        }
        if (value instanceof Callable) {
            return "a function";
        }
        return value instanceof Namespace ? "a namespace" : repr(value);
    }

    static boolean areEqual(Object a, Object b) {
        if (isNumber(a) && isNumber(b)) {
            return number(a) == number(b);
        }
        if (a instanceof Undefined || b instanceof Undefined) {
            return a instanceof Undefined && b instanceof Undefined;
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            boolean equal = x.size() == y.size();
            for (int i = 0; equal && i < x.size(); i++) {
                equal = areEqual(x.get(i), y.get(i));
            }
            return equal;
        }
        return a.equals(b);
    }

    static int compare(Object a, Object b) {
        if (isNumber(a) && isNumber(b)) {
            return Double.compare(number(a), number(b));
        }
        if (a instanceof String x && b instanceof String y) {
            return x.compareTo(y);
        }
        throw new TemplateFault(describe(a) + " and " + describe(b) + " have no order; compare numbers or strings");
    }

    static double number(Object value) {
        if (value instanceof Boolean flag) {
            return flag ? 1 : 0;
        }
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        throw new TemplateFault("expected a number, found " + describe(value));
    }

    static long integer(Object value) {
        if (value instanceof Long number) {
            return number;
        }
        throw new TemplateFault("expected an integer, found " + describe(value));
    }

    static String string(Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw new TemplateFault("expected a string, found " + describe(value));
    }

    /** What a loop goes through: entries, a map's keys, a string's characters; nothing where nothing is defined. */
    static List<Object> items(Object value) {
        if (value instanceof List<?> list) {
            return new ArrayList<>(list);
        }
        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }
        if (value instanceof String text) {
            return new ArrayList<>(
                    text.codePoints().mapToObj(Character::toString).toList());
        }
        if (value instanceof Undefined) {
            return new ArrayList<>();
        }
        throw new TemplateFault(describe(value) + " cannot be gone through");
    }

    static boolean contains(Object container, Object value) {
        if (container instanceof String text) {
            return text.contains(string(value));
        }
        return items(container).stream().anyMatch(item -> areEqual(item, value));
    }

    static long length(Object value) {
        if (value instanceof String text) {
            return text.codePointCount(0, text.length());
        }
        return items(value).size();
    }

    /** {@code value[key]}. */
    static Object item(Object value, Object key) {
        if (value instanceof Map<?, ?> map) {
            Object found = map.get(key);
            return found == null ? new Undefined(text(key)) : found;
        }
        if (key instanceof Long place && (value instanceof List || value instanceof String)) {
            List<Object> items = items(value);
            long at = place < 0 ? place + items.size() : place;
            return at < 0 || at >= items.size() ? new Undefined("[" + place + "]") : items.get((int) at);
        }
        if (key instanceof String name) {
            return attribute(value, name);
        }
        throw new TemplateFault(describe(value) + " has no entry " + describe(key));
    }

    /** {@code value.name}: a method where there is one, else an entry. */
    static Object attribute(Object value, String name) {
        if (value instanceof Undefined) {
            throw new TemplateFault(describe(value) + " has no attribute \"" + name + "\"");
        }
        if (value instanceof Namespace namespace) {
            return namespace.variables().getOrDefault(name, new Undefined(name));
        }
        Callable method = Methods.of(value, name);
        if (method != null) {
            return method;
        }
        if (value instanceof Map<?, ?> map && map.containsKey(name)) {
            return map.get(name);
        }
        return new Undefined(name);
    }

    /** {@code value[from:to:step]} by Python's rules; the bounds may be {@link #NONE}. */
    static Object slice(Object value, Object from, Object to, Object step) {
        if (!(value instanceof List) && !(value instanceof String)) {
            throw new TemplateFault(describe(value) + " cannot be sliced; slice lists and strings");
        }
        List<Object> items = items(value);
        long by = step == NONE ? 1 : integer(step);
        if (by == 0) {
            throw new TemplateFault("a slice's step is 0");
        }
        long first = bound(from, by > 0 ? 0 : items.size() - 1, items.size(), by);
        long end = bound(to, by > 0 ? items.size() : -1, items.size(), by);
        List<Object> part = new ArrayList<>();
        for (long i = first; by > 0 ? i < end : i > end; i += by) {
            part.add(items.get((int) i));
        }
        return value instanceof List
                ? part
                : String.join("", part.stream().map(Values::text).toList());
    }

    private static long bound(Object given, long absent, int size, long step) {
        if (given == NONE) {
            return absent;
        }
        long place = integer(given);
        long fromStart = place < 0 ? place + size : place;
        long least = step > 0 ? 0 : -1;
        return Math.max(least, Math.min(step > 0 ? size : size - 1, fromStart));
    }

    static Map<String, Object> map() {
        return new LinkedHashMap<>();
    }
}
