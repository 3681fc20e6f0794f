/** Named places in a frozen transformer, and how adapters find them. */
package io.peftj.core.site;
