package io.peftj.benchmarks.compare;

/**
 * What is compared at a time.
 *
 * @param method such as {@code lora}
 * @param dtype PyTorch's name of the number format
 */
record Case(String method, String dtype) {
    @Override
    public String toString() {
        return method + ", " + dtype;
    }
}
