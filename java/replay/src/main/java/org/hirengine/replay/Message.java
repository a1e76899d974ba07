package org.hirengine.replay;

/**
 * One turn of a chat.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or another role of the chat template
 * @param content the turn's text
 */
public record Message(String role, String content) {}
