package io.peftj.djl.chat.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Cuts a template into text and tags. White space around tags goes as Jinja2 has it with trim_blocks and lstrip_blocks. */
final class Lexer {
    /** Longer ones first. */
    private static final List<String> OPERATORS = List.of(
            "==", "!=", ">=", "<=", "//", "**", "=", ">", "<", "+", "-", "*", "/", "%", "~", "|", ".", ",", ":", "(",
            ")", "[", "]", "{", "}");

    private final String source;
    private final List<Piece> pieces = new ArrayList<>();
    private int at;

    /** What a token is. */
    enum Kind {
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    /** A word of a tag; of a string what it means. */
    record Token(Kind kind, String text) {
        boolean is(String operatorOrName) {
            return (kind == Kind.OPERATOR || kind == Kind.NAME) && text.equals(operatorOrName);
        }

        @Override
        public String toString() {
            return kind == Kind.END ? "the end of the tag" : "\"" + text + "\"";
        }
    }

    /** Text, or the inside of a tag. */
    sealed interface Piece {
        /** What is written as it stands. */
        record Text(String text) implements Piece {}

        /** {{ … }} where {@code output}, else {% … %}. */
        record Tag(boolean output, int line, List<Token> tokens) implements Piece {}
    }

    private Lexer(String source) {
        this.source = source;
    }

    static List<Piece> pieces(String source) {
        String unix = source.replace("\r\n", "\n");
        // As Jinja2 does, unless told otherwise.
        String whole = unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
        Lexer lexer = new Lexer(whole);
        lexer.run();
        return lexer.pieces;
    }

    private void run() {
        while (at < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                text(source.substring(at));
                at = source.length();
            } else {
                tag(tag);
            }
        }
    }

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
            if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    private void tag(int begin) {
        char kind = source.charAt(begin + 1);
        String before = source.substring(at, begin);
        boolean atLineStart = at == 0 || source.charAt(at - 1) == '\n';
        at = begin + 2;
        if (looking("-")) {
            before = Strings.stripTrailing(before);
            at++;
        } else if (looking("+")) {
            at++;
        } else if (kind != '{') {
            before = withoutIndentation(before, atLineStart);
        }
        text(before);
        int line = line(begin);
        switch (kind) {
            case '#' -> {
                int end = source.indexOf("#}", at);
                if (end < 0) {
                    throw new TemplateFault("line " + line + ": a comment has no end");
                }
                at = end > at && "-+".indexOf(source.charAt(end - 1)) >= 0 ? end - 1 : end;
                isEnd("#}");
            }
            case '%' -> pieces.add(new Piece.Tag(false, line, tokens("%}", line)));
            default -> pieces.add(new Piece.Tag(true, line, tokens("}}", line)));
        }
    }

    private static String withoutIndentation(String text, boolean atLineStart) {
        int lineStart = text.lastIndexOf('\n') + 1;
        boolean blank = Strings.strip(text.substring(lineStart)).isEmpty();
        return blank && (lineStart > 0 || atLineStart) ? text.substring(0, lineStart) : text;
    }

    private void text(String text) {
        if (!text.isEmpty()) {
            pieces.add(new Piece.Text(text));
        }
    }

    private List<Token> tokens(String end, int line) {
        List<Token> tokens = new ArrayList<>();
        Deque<String> open = new ArrayDeque<>();
        while (true) {
            while (at < source.length() && Strings.isSpace(source.charAt(at))) {
                at++;
            }
            if (at == source.length()) {
                throw new TemplateFault("line " + line + ": a tag, or a bracket in it, has no end; expected " + end);
            }
            // Inside brackets "}}" closes two of them.
            if (open.isEmpty() && isEnd(end)) {
                tokens.add(new Token(Kind.END, ""));
                return tokens;
            }
            Token token = token(line);
            tokens.add(token);
            if (token.is("(") || token.is("[") || token.is("{")) {
                open.push(token.text());
            } else if (!open.isEmpty() && (token.is(")") || token.is("]") || token.is("}"))) {
                open.pop();
            }
        }
    }

    /** Passes a tag's end, if it is one, and the white space that goes with it. */
    private boolean isEnd(String end) {
        if (looking("-" + end)) {
            at += 3;
            while (at < source.length() && Strings.isSpace(source.charAt(at))) {
                at++;
            }
        } else if (!end.equals("}}") && looking("+" + end)) {
            at += 3;
        } else if (looking(end)) {
            at += 2;
            if (!end.equals("}}") && looking("\n")) {
                at++;
            }
        } else {
            return false;
        }
        return true;
    }

    private Token token(int line) {
        char c = source.charAt(at);
        if (c == '\'' || c == '"') {
            return string(line);
        }
        int begin = at;
        if (Character.isDigit(c)) {
            return number();
        }
        if (Character.isLetter(c) || c == '_') {
            while (at < source.length() && (Character.isLetterOrDigit(source.charAt(at)) || source.charAt(at) == '_')) {
                at++;
            }
            return new Token(Kind.NAME, source.substring(begin, at));
        }
        for (String operator : OPERATORS) {
            if (looking(operator)) {
                at += operator.length();
                return new Token(Kind.OPERATOR, operator);
            }
        }
        throw new TemplateFault("line " + line + ": the character \"" + c + "\" means nothing in a tag");
    }

    private Token number() {
        int begin = at;
        digits();
        Kind kind = Kind.INTEGER;
        if (looking(".") && at + 1 < source.length() && Character.isDigit(source.charAt(at + 1))) {
            kind = Kind.FLOAT;
            at++;
            digits();
        }
        return new Token(kind, source.substring(begin, at).replace("_", ""));
    }

    private void digits() {
        while (at < source.length() && (Character.isDigit(source.charAt(at)) || source.charAt(at) == '_')) {
            at++;
        }
    }

    private Token string(int line) {
        char quote = source.charAt(at++);
        StringBuilder value = new StringBuilder();
        while (at < source.length() && source.charAt(at) != quote) {
            char c = source.charAt(at++);
            if (c == '\\' && at < source.length()) {
                escape(value, source.charAt(at++), line);
            } else {
                value.append(c);
            }
        }
        if (at == source.length()) {
            throw new TemplateFault("line " + line + ": a string has no end");
        }
        at++;
        return new Token(Kind.STRING, value.toString());
    }

    /** As Python reads them: an escape that it does not know keeps its backslash. */
    private void escape(StringBuilder value, char c, int line) {
        switch (c) {
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case '\\', '\'', '"' -> value.append(c);
            case '\n' -> {} // the line goes on
            case 'x' -> code(value, 2, line);
            case 'u' -> code(value, 4, line);
            case 'U' -> code(value, 8, line);
            default -> value.append('\\').append(c);
        }
    }

    private void code(StringBuilder value, int digits, int line) {
        try {
            value.appendCodePoint(Integer.parseInt(source, at, at + digits, 16));
            at += digits;
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new TemplateFault("line " + line + ": an escape in a string has not its " + digits + " hex digits");
        }
    }

    private boolean looking(String text) {
        return source.startsWith(text, at);
    }

    private int line(int place) {
        return 1
                + (int) source.substring(0, place)
                        .chars()
                        .filter(c -> c == '\n')
                        .count();
    }
}
