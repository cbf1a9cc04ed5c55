namespace ActorTrainer.Model.Data;

/// <summary>A batch of masked rows.</summary>
/// <param name="Rows">B.</param>
/// <param name="Sequence">S.</param>
/// <param name="MaskedPerRow">k.</param>
/// <param name="Inputs">Token ids with masks [B·S], row by row.</param>
/// <param name="Positions">Indices into <paramref name="Inputs"/> of the tokens to predict [B·k] (row·S + position), ascending.</param>
/// <param name="Labels">The true ids at these positions [B·k].</param>
public sealed record MlmBatch(int Rows, int Sequence, int MaskedPerRow, int[] Inputs, int[] Positions, int[] Labels);
