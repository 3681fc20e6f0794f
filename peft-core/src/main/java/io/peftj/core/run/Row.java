package io.peftj.core.run;

import org.jspecify.annotations.Nullable;

/** One row of a batch: its real tokens without padding, and the adapters that act on it. */
public final class Row {
    private final int[] ids;
    private final int @Nullable [] types;
    private final Stack stack;
    private final long example;
    private final int before;
    private final int prompt;

    /**
     * A row whose prompt is all of it.
     *
     * @param ids token ids, at least one
     * @param types token type ids, one each; null for zeros
     * @param stack the adapters that act on it
     * @param example tells examples apart, wherever in a batch they stand; dropout draws by it
     */
    public Row(int[] ids, int @Nullable [] types, Stack stack, long example) {
        this(ids.clone(), types == null ? null : types.clone(), stack, example, 0, ids.length);
    }

    private Row(int[] ids, int @Nullable [] types, Stack stack, long example, int before, int prompt) {
        this.ids = ids;
        this.types = types;
        this.stack = stack;
        this.example = example;
        this.before = before;
        this.prompt = prompt;
    }

    /** A row without token types. */
    public static Row of(Stack stack, long example, int... ids) {
        return new Row(ids, null, stack, example);
    }

    /**
     * The same tokens as the continuation of others that an earlier pass has seen: their positions are counted on. If there are such others, the prompt
     * was among them whole.
     */
    public Row after(int tokens) {
        return new Row(ids, types, stack, example, tokens, tokens == 0 ? prompt : 0);
    }

    /**
     * The same row with a prompt of its first tokens: those before the first that a model is to produce.
     *
     * @param tokens 0 to all of them
     */
    public Row prompted(int tokens) {
        if (tokens < 0 || tokens > ids.length) {
            throw new IllegalArgumentException(
                    "a prompt of " + tokens + " tokens in a row of " + ids.length + "; expected 0 to " + ids.length);
        }
        return new Row(ids, types, stack, example, before, tokens);
    }

    /** Number of tokens. */
    public int length() {
        return ids.length;
    }

    /** A token's id. */
    public int id(int token) {
        return ids[token];
    }

    /** Whether it has token types. */
    public boolean hasTypes() {
        return types != null;
    }

    /** Number of token types; 0 without any. */
    public int typeCount() {
        return types == null ? 0 : types.length;
    }

    /** A token's type, 0 where none are given. */
    public int type(int token) {
        return types == null ? 0 : types[token];
    }

    /** Tokens of the row that earlier passes have seen. */
    public int before() {
        return before;
    }

    /** Tokens of its adapters' own that stand before its tokens in a pass: the first pass has them, later ones find them in the cache. */
    public int virtualTokens() {
        return before > 0 ? 0 : stack.virtualTokens();
    }

    /** How many of these tokens, from the first on, are the prompt; virtual tokens are not counted. */
    public int prompt() {
        return prompt;
    }

    /** The adapters that act on it. */
    public Stack stack() {
        return stack;
    }

    /** Tells examples apart. */
    public long example() {
        return example;
    }
}
