package io.peftj.djl.chat.jinja;

import io.peftj.djl.chat.jinja.Values.Callable;
import io.peftj.djl.chat.jinja.Values.Namespace;
import io.peftj.djl.chat.jinja.Values.Undefined;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Functions that every template can call. */
final class Functions {
    private static final long LONGEST_RANGE = 100_000;

    /** Python's letters for parts of a date, in Java's words. */
    private static final Map<Character, String> DATE_PARTS = Map.ofEntries(
            Map.entry('Y', "yyyy"),
            Map.entry('y', "yy"),
            Map.entry('m', "MM"),
            Map.entry('d', "dd"),
            Map.entry('B', "MMMM"),
            Map.entry('b', "MMM"),
            Map.entry('A', "EEEE"),
            Map.entry('a', "EEE"),
            Map.entry('H', "HH"),
            Map.entry('M', "mm"),
            Map.entry('S', "ss"));

    private Functions() {}

    /** What raise_exception says: the template knows the messages and refuses them. */
    static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Refusal(String message) {
            super(message);
        }
    }

    static void addTo(Scope scope) {
        Map<String, Callable> all = Map.of(
                "raise_exception",
                a -> {
                    throw new Refusal(Values.text(a.bind("message")[0]));
                },
                "namespace",
                a -> new Namespace(dictionary(a)),
                "dict",
                Functions::dictionary,
                "range",
                Functions::range,
                "strftime_now",
                a -> now(Values.string(a.bind("format")[0])));
        all.forEach(scope::set);
    }

    private static Map<String, Object> dictionary(Arguments arguments) {
        Map<String, Object> variables = new LinkedHashMap<>();
        for (Object given : arguments.positional()) {
            if (!(given instanceof Map<?, ?> map)) {
                throw new TemplateFault("expected a dictionary, found " + Values.describe(given));
            }
            map.forEach((key, value) -> variables.put(Values.string(key), value));
        }
        variables.putAll(arguments.named());
        return variables;
    }

    private static Object range(Arguments arguments) {
        Object[] given = arguments.bind("start", "stop", "step");
        boolean one = given[1] instanceof Undefined;
        long start = one ? 0 : Values.integer(given[0]);
        long stop = Values.integer(one ? given[0] : given[1]);
        long step = given[2] instanceof Undefined ? 1 : Values.integer(given[2]);
        if (step == 0 || Math.abs((stop - start) / step) > LONGEST_RANGE) {
            throw new TemplateFault("range: expected a step other than 0 and at most " + LONGEST_RANGE + " numbers");
        }
        List<Object> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            numbers.add(i);
        }
        return numbers;
    }

    private static String now(String format) {
        StringBuilder text = new StringBuilder();
        LocalDateTime now = LocalDateTime.now(ZoneId.systemDefault());
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                text.append(c);
            } else {
                String part = DATE_PARTS.get(format.charAt(++i));
                if (part == null) {
                    throw new TemplateFault("strftime_now: \"%" + format.charAt(i) + "\" is not known; known are "
                            + DATE_PARTS.keySet().stream().sorted().toList());
                }
                text.append(now.format(DateTimeFormatter.ofPattern(part, Locale.ENGLISH)));
            }
        }
        return text.toString();
    }
}
