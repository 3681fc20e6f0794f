/** The BERT family (RoBERTa too): post-norm encoders with learned positions. */
package io.peftj.djl.backbone.bert;
