package io.peftj.djl.chat.jinja;

import io.peftj.djl.chat.jinja.Lexer.Kind;
import io.peftj.djl.chat.jinja.Lexer.Token;
import io.peftj.djl.chat.jinja.Values.Callable;
import io.peftj.djl.chat.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Jinja2's expressions, by its order of precedence: if else, or, and, not, comparisons, + −, ~, * / // %, signs, then what stands behind a value. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", ">", "<=", ">=");
    private static final Set<String> CONSTANTS = Set.of("true", "True", "false", "False", "none", "None");

    private final Tokens tokens;

    ExpressionParser(Tokens tokens) {
        this.tokens = tokens;
    }

    /** An expression, or several between commas as a list. */
    Expression expressions() {
        Expression first = expression();
        if (!tokens.looksAt(",")) {
            return first;
        }
        List<Expression> all = new ArrayList<>(List.of(first));
        while (tokens.accept(",")) {
            all.add(expression());
        }
        return listOf(all);
    }

    Expression expression() {
        Expression value = or();
        if (!tokens.accept("if")) {
            return value;
        }
        Expression condition = or();
        Expression otherwise =
                tokens.accept("else") ? expression() : scope -> new Undefined("the value of an if without else");
        return scope -> Values.isTrue(condition.value(scope)) ? value.value(scope) : otherwise.value(scope);
    }

    /** Without a condition behind it, as a loop's list is, whose "if" chooses entries. */
    Expression or() {
        Expression left = and();
        while (tokens.accept("or")) {
            Expression a = left;
            Expression b = and();
            left = scope -> {
                Object value = a.value(scope);
                return Values.isTrue(value) ? value : b.value(scope);
            };
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.accept("and")) {
            Expression a = left;
            Expression b = not();
            left = scope -> {
                Object value = a.value(scope);
                return Values.isTrue(value) ? b.value(scope) : value;
            };
        }
        return left;
    }

    private Expression not() {
        if (tokens.accept("not")) {
            Expression negated = not();
            return scope -> !Values.isTrue(negated.value(scope));
        }
        return comparison();
    }

    /** Comparisons chain: of three values, both neighbours have to compare. */
    private Expression comparison() {
        Expression left = sum();
        Expression all = null;
        while (looksAtComparison()) {
            String operator = tokens.next().text();
            boolean negated = operator.equals("not");
            if (negated) {
                tokens.expect("in");
            }
            Expression a = left;
            Expression b = sum();
            Expression one = scope -> compare(negated ? "not in" : operator, a.value(scope), b.value(scope));
            Expression before = all;
            all = before == null ? one : scope -> Values.isTrue(before.value(scope)) ? one.value(scope) : false;
            left = b;
        }
        return all == null ? left : all;
    }

    private boolean looksAtComparison() {
        return (tokens.peek().kind() == Kind.OPERATOR
                        && COMPARISONS.contains(tokens.peek().text()))
                || tokens.looksAt("in")
                || (tokens.looksAt("not") && tokens.isFollowedBy("in"));
    }

    private static boolean compare(String operator, Object a, Object b) {
        return switch (operator) {
            case "==" -> Values.areEqual(a, b);
            case "!=" -> !Values.areEqual(a, b);
            case "in" -> Values.contains(b, a);
            case "not in" -> !Values.contains(b, a);
            case "<" -> Values.compare(a, b) < 0;
            case ">" -> Values.compare(a, b) > 0;
            case "<=" -> Values.compare(a, b) <= 0;
            default -> Values.compare(a, b) >= 0;
        };
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.looksAt("+") || tokens.looksAt("-")) {
            left = binary(tokens.next().text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (tokens.accept("~")) {
            Expression a = left;
            Expression b = product();
            left = scope -> Values.text(a.value(scope)) + Values.text(b.value(scope));
        }
        return left;
    }

    private Expression product() {
        Expression left = signed();
        while (tokens.looksAt("*") || tokens.looksAt("/") || tokens.looksAt("//") || tokens.looksAt("%")) {
            left = binary(tokens.next().text(), left, signed());
        }
        return left;
    }

    private static Expression binary(String operator, Expression a, Expression b) {
        return scope -> Arithmetic.binary(operator, a.value(scope), b.value(scope));
    }

    private Expression signed() {
        if (tokens.accept("-")) {
            Expression value = signed();
            return scope -> Arithmetic.binary("-", 0L, value.value(scope));
        }
        return tokens.accept("+") ? signed() : behind(primary());
    }

    /** Attributes, entries, calls, filters and tests. */
    private Expression behind(Expression value) {
        Expression current = value;
        while (true) {
            Expression before = current;
            if (tokens.accept(".")) {
                current = attribute(before);
            } else if (tokens.accept("[")) {
                current = entry(before);
            } else if (tokens.looksAt("(")) {
                Call call = arguments();
                current = scope -> call(before.value(scope), call.in(scope));
            } else if (tokens.accept("|")) {
                String filter = tokens.name();
                Call call = tokens.looksAt("(") ? arguments() : Call.WITHOUT;
                current = scope -> Filters.apply(filter, before.value(scope), call.in(scope));
            } else if (tokens.accept("is")) {
                current = test(before);
            } else {
                return current;
            }
        }
    }

    private Expression attribute(Expression of) {
        Token name = tokens.next();
        if (name.kind() == Kind.INTEGER) {
            long place = Long.parseLong(name.text());
            return scope -> Values.item(of.value(scope), place);
        }
        if (name.kind() != Kind.NAME) {
            throw new TemplateFault("expected a name after a dot, found " + name);
        }
        return scope -> Values.attribute(of.value(scope), name.text());
    }

    private static Object call(Object function, Arguments arguments) {
        if (function instanceof Callable callable) {
            return callable.call(arguments);
        }
        throw new TemplateFault(Values.describe(function) + " cannot be called: no such function or method is known");
    }

    private Expression entry(Expression of) {
        Expression none = scope -> Values.NONE;
        Expression first = tokens.looksAt(":") ? none : expressions();
        if (tokens.accept("]")) {
            return scope -> Values.item(of.value(scope), first.value(scope));
        }
        tokens.expect(":");
        Expression to = tokens.looksAt(":") || tokens.looksAt("]") ? none : expression();
        Expression step = tokens.accept(":") && !tokens.looksAt("]") ? expression() : none;
        tokens.expect("]");
        return scope -> Values.slice(of.value(scope), first.value(scope), to.value(scope), step.value(scope));
    }

    private Expression test(Expression of) {
        boolean negated = tokens.accept("not");
        String test = tokens.name();
        Call call = Call.WITHOUT;
        if (tokens.looksAt("(")) {
            call = arguments();
        } else if (beginsValue(tokens.peek())) {
            call = new Call(List.of(behind(primary())), Map.of());
        }
        Call arguments = call;
        return scope -> Tests.holds(test, of.value(scope), arguments.in(scope)) != negated;
    }

    /** A test's one argument may stand without brackets. */
    private static boolean beginsValue(Token token) {
        return switch (token.kind()) {
            case STRING, INTEGER, FLOAT -> true;
            case NAME ->
                !Set.of("and", "or", "if", "else", "is", "in", "not", "recursive")
                        .contains(token.text());
            case OPERATOR -> token.is("[") || token.is("{");
            case END -> false;
        };
    }

    /** Arguments as they are written. */
    record Call(List<Expression> positional, Map<String, Expression> named) {
        static final Call WITHOUT = new Call(List.of(), Map.of());

        Arguments in(Scope scope) {
            Map<String, Object> values = new LinkedHashMap<>();
            named.forEach((name, value) -> values.put(name, value.value(scope)));
            return new Arguments(
                    positional.stream().map(value -> value.value(scope)).toList(), values);
        }
    }

    /** Arguments in brackets, which the next word opens. */
    Call arguments() {
        tokens.expect("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.accept(")")) {
            if (tokens.peek().kind() == Kind.NAME && tokens.isFollowedBy("=")) {
                String name = tokens.name();
                tokens.expect("=");
                named.put(name, expression());
            } else {
                positional.add(expression());
            }
            if (!tokens.looksAt(")")) {
                tokens.expect(",");
            }
        }
        return new Call(List.copyOf(positional), named);
    }

    private Expression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case STRING -> strings(token);
            case INTEGER -> constant(Long.parseLong(token.text()));
            case FLOAT -> constant(Double.parseDouble(token.text()));
            case NAME -> CONSTANTS.contains(token.text()) ? named(token.text()) : scope -> scope.get(token.text());
            case OPERATOR -> enclosed(token);
            case END -> throw new TemplateFault("expected a value, found " + token);
        };
    }

    /** Strings that follow each other are one. */
    private Expression strings(Token first) {
        StringBuilder all = new StringBuilder(first.text());
        while (tokens.peek().kind() == Kind.STRING) {
            all.append(tokens.next().text());
        }
        return constant(all.toString());
    }

    private static Expression named(String constant) {
        return switch (constant) {
            case "true", "True" -> constant(true);
            case "false", "False" -> constant(false);
            default -> constant(Values.NONE);
        };
    }

    private static Expression constant(Object value) {
        return scope -> value;
    }

    private Expression enclosed(Token open) {
        if (open.is("(")) {
            List<Expression> all = new ArrayList<>();
            boolean several = false;
            while (!tokens.accept(")")) {
                all.add(expression());
                if (!tokens.looksAt(")")) {
                    tokens.expect(",");
                    several = true;
                }
            }
            return several || all.isEmpty() ? listOf(all) : all.get(0);
        }
        if (open.is("[")) {
            List<Expression> all = new ArrayList<>();
            while (!tokens.accept("]")) {
                all.add(expression());
                if (!tokens.looksAt("]")) {
                    tokens.expect(",");
                }
            }
            return listOf(all);
        }
        if (open.is("{")) {
            return dictionary();
        }
        throw new TemplateFault("expected a value, found " + open);
    }

    private Expression dictionary() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.accept("}")) {
            keys.add(expression());
            tokens.expect(":");
            values.add(expression());
            if (!tokens.looksAt("}")) {
                tokens.expect(",");
            }
        }
        return scope -> {
            Map<String, Object> map = new LinkedHashMap<>();
            for (int i = 0; i < keys.size(); i++) {
                map.put(Values.string(keys.get(i).value(scope)), values.get(i).value(scope));
            }
            return map;
        };
    }

    private static Expression listOf(List<Expression> expressions) {
        List<Expression> all = List.copyOf(expressions);
        return scope ->
                new ArrayList<>(all.stream().map(one -> one.value(scope)).toList());
    }
}
