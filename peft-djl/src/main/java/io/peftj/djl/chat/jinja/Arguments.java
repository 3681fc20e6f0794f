package io.peftj.djl.chat.jinja;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What a function, method, filter or test is called with. */
record Arguments(List<Object> positional, Map<String, Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    /**
     * The values of parameters in their order; {@link Values.Undefined} for those not given.
     *
     * @throws TemplateFault if there are more arguments, or other names
     */
    Object[] bind(String... parameters) {
        if (positional.size() > parameters.length) {
            throw new TemplateFault("expected at most " + parameters.length + " arguments, found " + positional.size());
        }
        Object[] values = new Object[parameters.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = i < positional.size()
                    ? positional.get(i)
                    : named.getOrDefault(parameters[i], new Values.Undefined(parameters[i]));
        }
        for (String name : named.keySet()) {
            if (!Arrays.asList(parameters).contains(name)) {
                throw new TemplateFault("the argument \"" + name + "\" is not known; known are " + List.of(parameters));
            }
        }
        return values;
    }

    /** The first and the others, for functions that take a function's name. */
    Arguments rest() {
        return new Arguments(positional.subList(1, positional.size()), named);
    }
}
