package io.peftj.djl.chat.jinja;

import io.peftj.djl.chat.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/** What stands behind a bar: {@code value | name(arguments)}. */
final class Filters {
    private static final Map<String, Filter> KNOWN = known();

    private Filters() {}

    /** A filter. */
    private interface Filter {
        Object apply(Object value, Arguments arguments);
    }

    static Object apply(String name, Object value, Arguments arguments) {
        Filter filter = KNOWN.get(name);
        if (filter == null) {
            throw new TemplateFault("the filter \"" + name + "\" is not known; known are " + KNOWN.keySet());
        }
        return filter.apply(value, arguments);
    }

    private static Map<String, Filter> known() {
        Map<String, Filter> all = new TreeMap<>();
        all.put("trim", (v, a) -> Strings.strip(Values.text(v)));
        all.put("upper", (v, a) -> Values.text(v).toUpperCase(Locale.ROOT));
        all.put("lower", (v, a) -> Values.text(v).toLowerCase(Locale.ROOT));
        all.put("title", (v, a) -> Strings.title(Values.text(v)));
        all.put("capitalize", (v, a) -> capitalized(Values.text(v)));
        all.put("string", (v, a) -> Values.text(v));
        all.put("safe", (v, a) -> v);
        all.put("length", (v, a) -> Values.length(v));
        all.put("count", (v, a) -> Values.length(v));
        all.put("int", (v, a) -> integer(v));
        all.put("list", (v, a) -> Values.items(v));
        all.put("first", (v, a) -> Values.item(Values.items(v), 0L));
        all.put("last", (v, a) -> Values.item(Values.items(v), -1L));
        all.put("items", (v, a) -> v instanceof Map<?, ?> map ? pairs(map) : new ArrayList<>());
        all.put("dictsort", (v, a) -> sorted(v));
        all.put("reverse", (v, a) -> reversed(v));
        all.put("default", Filters::orDefault);
        all.put("d", Filters::orDefault);
        all.put("join", (v, a) -> {
            Object given = a.bind("d")[0];
            return joined(Values.items(v), Values.text(given));
        });
        all.put("replace", (v, a) -> {
            Object[] given = a.bind("s", "old", "count");
            long most = given[2] instanceof Undefined ? -1 : Values.integer(given[2]);
            return Strings.replace(Values.text(v), Values.text(given[0]), Values.text(given[1]), most);
        });
        all.put("tojson", Filters::json);
        all.put("map", Filters::mapped);
        all.put("select", (v, a) -> selected(v, item -> test(a, item)));
        all.put("reject", (v, a) -> selected(v, item -> !test(a, item)));
        all.put("selectattr", (v, a) -> selected(v, item -> testAttribute(a, item)));
        all.put("rejectattr", (v, a) -> selected(v, item -> !testAttribute(a, item)));
        return Collections.unmodifiableMap(all);
    }

    static String capitalized(String text) {
        return text.isEmpty()
                ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT)
                        + text.substring(1).toLowerCase(Locale.ROOT);
    }

    static String joined(List<Object> items, String separator) {
        return String.join(separator, items.stream().map(Values::text).toList());
    }

    /** Keys with their values. */
    static List<Object> pairs(Map<?, ?> map) {
        List<Object> pairs = new ArrayList<>();
        map.forEach((key, value) -> pairs.add(List.of(key, value)));
        return pairs;
    }

    private static Object integer(Object value) {
        if (value instanceof String text) {
            try {
                return Long.parseLong(Strings.strip(text));
            } catch (NumberFormatException e) {
                return 0L;
            }
        }
        return Values.isNumber(value) ? (long) Values.number(value) : 0L;
    }

    private static Object sorted(Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new TemplateFault("dictsort: expected a dictionary, found " + Values.describe(value));
        }
        List<Object> pairs = pairs(map);
        // Jinja2 sorts without regard to case.
        pairs.sort((a, b) -> Values.text(Values.item(a, 0L)).compareToIgnoreCase(Values.text(Values.item(b, 0L))));
        return pairs;
    }

    private static Object reversed(Object value) {
        if (value instanceof String text) {
            return new StringBuilder(text).reverse().toString();
        }
        List<Object> items = Values.items(value);
        Collections.reverse(items);
        return items;
    }

    private static Object orDefault(Object value, Arguments arguments) {
        Object[] given = arguments.bind("default_value", "boolean");
        boolean absent = value instanceof Undefined || (Values.isTrue(given[1]) && !Values.isTrue(value));
        if (!absent) {
            return value;
        }
        return given[0] instanceof Undefined ? "" : given[0];
    }

    /** Hugging Face's own, which keeps characters beyond ASCII and escapes nothing for HTML. */
    private static Object json(Object value, Arguments arguments) {
        Object indent = arguments.bind("indent", "ensure_ascii")[0];
        return Jsons.write(value, indent instanceof Long spaces ? Math.toIntExact(spaces) : -1);
    }

    private static Object mapped(Object value, Arguments arguments) {
        Object attribute = arguments.named().get("attribute");
        List<Object> results = new ArrayList<>();
        for (Object item : Values.items(value)) {
            results.add(
                    attribute == null
                            ? apply(name(arguments), item, arguments.rest())
                            : attributeOf(item, Values.string(attribute)));
        }
        return results;
    }

    /** Of a dictionary its entry, never a method: filters look for entries first. */
    private static Object attributeOf(Object item, String name) {
        return item instanceof Map ? Values.item(item, name) : Values.attribute(item, name);
    }

    private static Object selected(Object value, Predicate<Object> wanted) {
        return new ArrayList<>(Values.items(value).stream().filter(wanted).toList());
    }

    private static boolean test(Arguments arguments, Object item) {
        return arguments.positional().isEmpty()
                ? Values.isTrue(item)
                : Tests.holds(name(arguments), item, arguments.rest());
    }

    private static boolean testAttribute(Arguments arguments, Object item) {
        return test(arguments.rest(), attributeOf(item, name(arguments)));
    }

    private static String name(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new TemplateFault("expected a name as the first argument, found none");
        }
        return Values.string(arguments.positional().get(0));
    }
}
