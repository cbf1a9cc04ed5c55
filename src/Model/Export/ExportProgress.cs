namespace ActorTrainer.Model.Export;

/// <summary>How far a split is.</summary>
/// <param name="Split">Name of the split.</param>
/// <param name="IsVerifying">True: files that are there already are being verified; false: rows are being written.</param>
/// <param name="Rows">Rows verified, or written and kept.</param>
/// <param name="Count">Rows of the split.</param>
public readonly record struct ExportProgress(string Split, bool IsVerifying, int Rows, int Count);

/// <summary>An exported split.</summary>
/// <param name="Folder">Where it is.</param>
/// <param name="Manifest">What it holds.</param>
/// <param name="ShardsKept">Shards that were there already and verified.</param>
/// <param name="ShardsWritten">Shards written now.</param>
public sealed record ExportedSplit(string Folder, ExportManifest Manifest, int ShardsKept, int ShardsWritten);

/// <summary>A row of an export but its tensors.</summary>
/// <param name="Row">Its number in the split.</param>
/// <param name="Id">Its id in the file it came from.</param>
/// <param name="TokenCount">Tokens without padding.</param>
/// <param name="Label">Class or number; −1 or not-a-number in splits without labels.</param>
public readonly record struct ExportedRow(int Row, string Id, int TokenCount, float Label);
