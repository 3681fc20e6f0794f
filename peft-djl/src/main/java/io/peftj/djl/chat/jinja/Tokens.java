package io.peftj.djl.chat.jinja;

import io.peftj.djl.chat.jinja.Lexer.Kind;
import io.peftj.djl.chat.jinja.Lexer.Token;
import java.util.List;

/** The words of a tag, read one after another. */
final class Tokens {
    private final List<Token> tokens;
    private int at;

    /** Words of which the last is {@link Kind#END}. */
    Tokens(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    boolean looksAt(String operatorOrName) {
        return peek().is(operatorOrName);
    }

    /** Passes an operator or name if it is there. */
    boolean accept(String operatorOrName) {
        boolean there = looksAt(operatorOrName);
        if (there) {
            next();
        }
        return there;
    }

    void expect(String operatorOrName) {
        if (!accept(operatorOrName)) {
            throw new TemplateFault("expected \"" + operatorOrName + "\", found " + peek());
        }
    }

    String name() {
        if (peek().kind() != Kind.NAME) {
            throw new TemplateFault("expected a name, found " + peek());
        }
        return next().text();
    }

    void end() {
        if (peek().kind() != Kind.END) {
            throw new TemplateFault("expected the end of the tag, found " + peek());
        }
    }

    /** Whether the word after the next one is an operator. */
    boolean isFollowedBy(String operator) {
        return at + 1 < tokens.size() && tokens.get(at + 1).is(operator);
    }
}
