namespace ActorTrainer.Model.Data;

/// <summary>One document of a corpus and where it came from.</summary>
/// <param name="Text">The text; lines are separated by a line feed.</param>
/// <param name="File">Path of the file, or "sample".</param>
/// <param name="Line">First line of the document, from 1; the index of the document for sample text.</param>
/// <param name="Bytes">Bytes that the document took in its file, for progress.</param>
public sealed record Document(string Text, string File, long Line, long Bytes);

/// <summary>One row of an already tokenised corpus.</summary>
/// <param name="Ids">Token ids, any number of them.</param>
/// <param name="File">Path of the Parquet file.</param>
/// <param name="Row">Row in the file, from 0.</param>
/// <param name="Bytes">The row's share of the file's bytes, for progress.</param>
public sealed record TokenRow(int[] Ids, string File, long Row, long Bytes);
