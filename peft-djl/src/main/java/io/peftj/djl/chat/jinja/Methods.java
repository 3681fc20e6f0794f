package io.peftj.djl.chat.jinja;

import io.peftj.djl.chat.jinja.Values.Callable;
import io.peftj.djl.chat.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/** Methods of Python's strings, lists and dictionaries. */
final class Methods {
    private Methods() {}

    /** A method of a value; null if it has none of that name. */
    static @Nullable Callable of(Object value, String name) {
        if (value instanceof String text) {
            return ofString(text, name);
        }
        if (value instanceof Map<?, ?> map) {
            return ofMap(map, name);
        }
        return null;
    }

    private static @Nullable Callable ofString(String text, String name) {
        return switch (name) {
            case "strip" -> a -> stripped(text, a, true, true);
            case "lstrip" -> a -> stripped(text, a, true, false);
            case "rstrip" -> a -> stripped(text, a, false, true);
            case "upper" -> a -> text.toUpperCase(Locale.ROOT);
            case "lower" -> a -> text.toLowerCase(Locale.ROOT);
            case "title" -> a -> Strings.title(text);
            case "capitalize" -> a -> Filters.capitalized(text);
            case "startswith" -> a -> any(text, a, String::startsWith);
            case "endswith" -> a -> any(text, a, String::endsWith);
            case "split" -> a -> split(text, a);
            case "splitlines" -> a -> new ArrayList<Object>(text.lines().toList());
            case "replace" -> a -> replaced(text, a);
            case "find" -> a -> (long) text.indexOf(Values.string(a.bind("sub")[0]));
            case "count" ->
                a -> (long) Strings.split(text, Values.string(a.bind("sub")[0]), -1)
                                .size()
                        - 1;
            case "join" -> a -> Filters.joined(Values.items(a.bind("iterable")[0]), text);
            case "removeprefix" ->
                a -> {
                    String prefix = Values.string(a.bind("prefix")[0]);
                    return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
                };
            case "removesuffix" ->
                a -> {
                    String suffix = Values.string(a.bind("suffix")[0]);
                    return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
                };
            default -> null;
        };
    }

    private static Object stripped(String text, Arguments arguments, boolean leading, boolean trailing) {
        Object given = arguments.bind("chars")[0];
        boolean some = given instanceof String;
        String chars = some ? (String) given : "";
        String result = text;
        if (leading) {
            result = Strings.stripLeading(result, c -> some ? chars.indexOf(c) >= 0 : Strings.isSpace(c));
        }
        if (trailing) {
            result = Strings.stripTrailing(result, c -> some ? chars.indexOf(c) >= 0 : Strings.isSpace(c));
        }
        return result;
    }

    /** Python takes one or several. */
    private static Object any(String text, Arguments arguments, BiPredicate<String, String> test) {
        Object given = arguments.bind("affix")[0];
        List<Object> affixes = given instanceof List ? Values.items(given) : List.of(given);
        return affixes.stream().anyMatch(affix -> test.test(text, Values.string(affix)));
    }

    private static Object split(String text, Arguments arguments) {
        Object[] given = arguments.bind("sep", "maxsplit");
        String separator = given[0] instanceof String some ? some : null;
        return Strings.split(text, separator, given[1] instanceof Undefined ? -1 : Values.integer(given[1]));
    }

    private static Object replaced(String text, Arguments arguments) {
        Object[] given = arguments.bind("old", "new", "count");
        long most = given[2] instanceof Undefined ? -1 : Values.integer(given[2]);
        return Strings.replace(text, Values.string(given[0]), Values.string(given[1]), most);
    }

    private static @Nullable Callable ofMap(Map<?, ?> map, String name) {
        return switch (name) {
            case "keys" -> a -> new ArrayList<Object>(map.keySet());
            case "values" -> a -> new ArrayList<Object>(map.values());
            case "items" -> a -> Filters.pairs(map);
            case "get" ->
                a -> {
                    Object[] given = a.bind("key", "default");
                    Object found = map.get(given[0]);
                    if (found != null) {
                        return found;
                    }
                    return given[1] instanceof Undefined ? Values.NONE : given[1];
                };
            default -> null;
        };
    }
}
