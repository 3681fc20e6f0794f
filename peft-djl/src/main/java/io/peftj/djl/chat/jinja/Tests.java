package io.peftj.djl.chat.jinja;

import io.peftj.djl.chat.jinja.Values.Callable;
import io.peftj.djl.chat.jinja.Values.Undefined;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What stands behind "is": {@code value is name(arguments)}. */
final class Tests {
    private static final Map<String, Test> KNOWN = known();

    private Tests() {}

    /** A test. */
    private interface Test {
        boolean holds(Object value, Arguments arguments);
    }

    static boolean holds(String name, Object value, Arguments arguments) {
        Test test = KNOWN.get(name);
        if (test == null) {
            throw new TemplateFault("the test \"" + name + "\" is not known; known are " + KNOWN.keySet());
        }
        return test.holds(value, arguments);
    }

    private static Map<String, Test> known() {
        Map<String, Test> all = new TreeMap<>();
        all.put("defined", (v, a) -> !(v instanceof Undefined));
        all.put("undefined", (v, a) -> v instanceof Undefined);
        all.put("none", (v, a) -> v == Values.NONE);
        all.put("string", (v, a) -> v instanceof String);
        all.put("boolean", (v, a) -> v instanceof Boolean);
        all.put("true", (v, a) -> Boolean.TRUE.equals(v));
        all.put("false", (v, a) -> Boolean.FALSE.equals(v));
        all.put("integer", (v, a) -> v instanceof Long);
        all.put("float", (v, a) -> v instanceof Double);
        all.put("number", (v, a) -> Values.isNumber(v));
        all.put("mapping", (v, a) -> v instanceof Map);
        all.put("sequence", (v, a) -> v instanceof List || v instanceof Map || v instanceof String);
        all.put(
                "iterable",
                (v, a) -> v instanceof List || v instanceof Map || v instanceof String || v instanceof Undefined);
        all.put("callable", (v, a) -> v instanceof Callable);
        all.put("odd", (v, a) -> Math.floorMod(Values.integer(v), 2) == 1);
        all.put("even", (v, a) -> Math.floorMod(Values.integer(v), 2) == 0);
        all.put("divisibleby", (v, a) -> Values.integer(v) % Values.integer(other(a)) == 0);
        all.put("in", (v, a) -> Values.contains(other(a), v));
        for (String name : List.of("eq", "equalto", "==", "sameas")) {
            all.put(name, (v, a) -> Values.areEqual(v, other(a)));
        }
        for (String name : List.of("ne", "!=")) {
            all.put(name, (v, a) -> !Values.areEqual(v, other(a)));
        }
        return Collections.unmodifiableMap(all);
    }

    private static Object other(Arguments arguments) {
        return arguments.bind("other")[0];
    }
}
