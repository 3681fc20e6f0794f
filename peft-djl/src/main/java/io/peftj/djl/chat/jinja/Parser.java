package io.peftj.djl.chat.jinja;

import io.peftj.djl.chat.jinja.Lexer.Kind;
import io.peftj.djl.chat.jinja.Lexer.Piece;
import io.peftj.djl.chat.jinja.Statement.End;
import io.peftj.djl.chat.jinja.Values.Namespace;
import io.peftj.djl.chat.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes statements of a template's pieces. */
final class Parser {
    private static final int DEEPEST = 100;

    private final List<Piece> pieces;
    private int at;

    private Parser(List<Piece> pieces) {
        this.pieces = pieces;
    }

    static List<Statement> parse(String source) {
        Parser parser = new Parser(Lexer.pieces(source));
        return parser.until(Set.of(), "the template");
    }

    /** Statements up to a block tag of one of the names, which is not passed; to the end where there are none. */
    private List<Statement> until(Set<String> ends, String what) {
        List<Statement> statements = new ArrayList<>();
        while (at < pieces.size()) {
            Piece piece = pieces.get(at);
            if (piece instanceof Piece.Tag tag && !tag.output() && ends.contains(keyword(tag))) {
                return statements;
            }
            at++;
            statements.add(statement(piece));
        }
        if (!ends.isEmpty()) {
            throw new TemplateFault(what + " has no end; expected one of "
                    + ends.stream().sorted().toList());
        }
        return statements;
    }

    private static String keyword(Piece.Tag tag) {
        return tag.tokens().get(0).text();
    }

    private Statement statement(Piece piece) {
        if (piece instanceof Piece.Text text) {
            return (scope, out) -> {
                out.append(text.text());
                return End.NORMAL;
            };
        }
        Piece.Tag tag = (Piece.Tag) piece;
        try {
            Statement inside = tag.output() ? output(new Tokens(tag.tokens())) : block(tag);
            return (scope, out) -> {
                try {
                    return inside.run(scope, out);
                } catch (TemplateFault e) {
                    throw inLine(tag.line(), e);
                }
            };
        } catch (TemplateFault e) {
            throw inLine(tag.line(), e);
        }
    }

    /** The innermost line is the one that is told. */
    private static TemplateFault inLine(int line, TemplateFault fault) {
        String message = String.valueOf(fault.getMessage());
        return message.startsWith("line ") ? fault : new TemplateFault("line " + line + ": " + message);
    }

    private static Statement output(Tokens tokens) {
        Expression value = new ExpressionParser(tokens).expressions();
        tokens.end();
        return (scope, out) -> {
            out.append(Values.text(value.value(scope)));
            return End.NORMAL;
        };
    }

    private Statement block(Piece.Tag tag) {
        Tokens tokens = new Tokens(tag.tokens());
        String keyword = tokens.name();
        return switch (keyword) {
            case "if" -> branch(tokens);
            case "for" -> loop(tokens);
            case "set" -> assignment(tokens);
            case "macro" -> macro(tokens);
            case "generation" -> marked(tokens);
            case "break" -> leave(tokens, End.BREAK);
            case "continue" -> leave(tokens, End.CONTINUE);
            default ->
                throw new TemplateFault("the tag \"" + keyword + "\" is not known or not open; known are if, for, set,"
                        + " macro, generation, break and continue");
        };
    }

    private static Statement leave(Tokens tokens, End how) {
        tokens.end();
        return (scope, out) -> how;
    }

    /** Passes a tag that closes, such as endif. */
    private Tokens pass() {
        Tokens tokens = new Tokens(((Piece.Tag) pieces.get(at++)).tokens());
        tokens.next();
        return tokens;
    }

    // ---- blocks ----

    private Statement branch(Tokens tokens) {
        Expression condition = new ExpressionParser(tokens).expression();
        tokens.end();
        List<Statement> then = until(Set.of("elif", "else", "endif"), "an if");
        String next = keyword((Piece.Tag) pieces.get(at));
        Tokens following = pass();
        List<Statement> otherwise = List.of();
        if (next.equals("elif")) {
            otherwise = List.of(branch(following));
        } else if (next.equals("else")) {
            otherwise = until(Set.of("endif"), "an else");
            pass();
        }
        List<Statement> other = otherwise;
        return (scope, out) -> Statement.runAll(Values.isTrue(condition.value(scope)) ? then : other, scope, out);
    }

    /** The tokens that a model itself writes, marked for training: here they are text like any other. */
    private Statement marked(Tokens tokens) {
        tokens.end();
        List<Statement> body = until(Set.of("endgeneration"), "a generation block");
        pass();
        return (scope, out) -> Statement.runAll(body, scope, out);
    }

    private Statement loop(Tokens tokens) {
        List<String> targets = new ArrayList<>(List.of(tokens.name()));
        while (tokens.accept(",")) {
            targets.add(tokens.name());
        }
        tokens.expect("in");
        ExpressionParser expressions = new ExpressionParser(tokens);
        Expression items = expressions.or();
        Expression wanted = tokens.accept("if") ? expressions.or() : scope -> true;
        tokens.end();
        List<Statement> body = until(Set.of("else", "endfor"), "a for");
        List<Statement> empty = List.of();
        if (keyword((Piece.Tag) pieces.get(at)).equals("else")) {
            pass();
            empty = until(Set.of("endfor"), "an else");
        }
        pass();
        return new Loop(targets, items, wanted, body, empty);
    }

    private Statement assignment(Tokens tokens) {
        String name = tokens.name();
        if (tokens.accept(".")) {
            String variable = tokens.name();
            Expression value = assigned(tokens);
            return (scope, out) -> {
                if (!(scope.get(name) instanceof Namespace namespace)) {
                    throw new TemplateFault(
                            "\"" + name + "\" is no namespace; only a namespace's variables can be set");
                }
                namespace.variables().put(variable, value.value(scope));
                return End.NORMAL;
            };
        }
        if (tokens.peek().kind() == Kind.END) {
            List<Statement> body = until(Set.of("endset"), "a set");
            pass();
            return (scope, out) -> {
                StringBuilder written = new StringBuilder();
                Statement.runAll(body, new Scope(scope), written);
                scope.set(name, written.toString());
                return End.NORMAL;
            };
        }
        List<String> names = new ArrayList<>(List.of(name));
        while (tokens.accept(",")) {
            names.add(tokens.name());
        }
        Expression value = assigned(tokens);
        return (scope, out) -> {
            Loop.assign(scope, names, value.value(scope));
            return End.NORMAL;
        };
    }

    private static Expression assigned(Tokens tokens) {
        tokens.expect("=");
        Expression value = new ExpressionParser(tokens).expressions();
        tokens.end();
        return value;
    }

    private Statement macro(Tokens tokens) {
        String name = tokens.name();
        Map<String, Expression> parameters = parameters(tokens);
        List<Statement> body = until(Set.of("endmacro"), "the macro " + name);
        pass();
        return (scope, out) -> {
            scope.set(name, (Values.Callable) arguments -> call(name, parameters, body, scope, arguments));
            return End.NORMAL;
        };
    }

    private static Map<String, Expression> parameters(Tokens tokens) {
        Map<String, Expression> parameters = new LinkedHashMap<>();
        tokens.expect("(");
        while (!tokens.accept(")")) {
            String parameter = tokens.name();
            parameters.put(
                    parameter,
                    tokens.accept("=") ? new ExpressionParser(tokens).expression() : scope -> new Undefined(parameter));
            if (!tokens.looksAt(")")) {
                tokens.expect(",");
            }
        }
        tokens.end();
        return parameters;
    }

    private static Object call(
            String name, Map<String, Expression> parameters, List<Statement> body, Scope defined, Arguments arguments) {
        Scope scope = new Scope(defined);
        Object[] given = arguments.bind(parameters.keySet().toArray(String[]::new));
        int i = 0;
        for (Map.Entry<String, Expression> parameter : parameters.entrySet()) {
            Object value = given[i++];
            scope.set(
                    parameter.getKey(),
                    value instanceof Undefined ? parameter.getValue().value(scope) : value);
        }
        // A macro may call itself, but not without end.
        if (scope.openCalls().incrementAndGet() > DEEPEST) {
            throw new TemplateFault("the macro " + name + " is the last of more than " + DEEPEST + " nested calls");
        }
        StringBuilder written = new StringBuilder();
        Statement.runAll(body, scope, written);
        scope.openCalls().decrementAndGet();
        return written.toString();
    }
}
