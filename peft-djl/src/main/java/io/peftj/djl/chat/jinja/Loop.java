package io.peftj.djl.chat.jinja;

import io.peftj.djl.chat.jinja.Values.Undefined;
import java.util.List;
import java.util.Map;

/**
 * {@code {% for … in … if … %} … {% else %} … {% endfor %}}.
 *
 * @param targets the variables of a round
 * @param items what it goes through
 * @param wanted whether a round's item is
 * @param body a round
 * @param empty what runs without rounds
 */
record Loop(List<String> targets, Expression items, Expression wanted, List<Statement> body, List<Statement> empty)
        implements Statement {
    @Override
    public End run(Scope scope, StringBuilder out) {
        List<Object> chosen = Values.items(items.value(scope)).stream()
                .filter(item -> {
                    Scope round = new Scope(scope);
                    assign(round, targets, item);
                    return Values.isTrue(wanted.value(round));
                })
                .toList();
        if (chosen.isEmpty()) {
            return Statement.runAll(empty, scope, out);
        }
        for (int i = 0; i < chosen.size(); i++) {
            Scope round = new Scope(scope);
            assign(round, targets, chosen.get(i));
            round.set("loop", state(chosen, i));
            if (Statement.runAll(body, round, out) == End.BREAK) {
                break;
            }
        }
        return End.NORMAL;
    }

    private static Map<String, Object> state(List<Object> items, int i) {
        int size = items.size();
        Map<String, Object> state = Values.map();
        state.put("index", i + 1L);
        state.put("index0", (long) i);
        state.put("revindex", (long) size - i);
        state.put("revindex0", size - i - 1L);
        state.put("first", i == 0);
        state.put("last", i == size - 1);
        state.put("length", (long) size);
        state.put("previtem", i == 0 ? new Undefined("loop.previtem") : items.get(i - 1));
        state.put("nextitem", i == size - 1 ? new Undefined("loop.nextitem") : items.get(i + 1));
        return state;
    }

    /** Sets one variable, or as many as the value has entries. */
    static void assign(Scope scope, List<String> names, Object value) {
        if (names.size() == 1) {
            scope.set(names.get(0), value);
            return;
        }
        List<Object> parts = Values.items(value);
        if (parts.size() != names.size()) {
            throw new TemplateFault(names.size() + " variables cannot be set of " + parts.size() + " values: " + names);
        }
        for (int i = 0; i < parts.size(); i++) {
            scope.set(names.get(i), parts.get(i));
        }
    }
}
