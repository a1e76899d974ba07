/** Instructions, prompt templates, readers of data, hindsight rewriting and selection. */
module org.hirengine.replay {
  requires transitive org.hirengine.verify;

  exports org.hirengine.replay;

  uses org.hirengine.replay.DataRowsProvider;
}
