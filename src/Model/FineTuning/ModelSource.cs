using ActorTrainer.Model.Bert;

namespace ActorTrainer.Model.FineTuning;

/// <summary>A pre-trained model on disk.</summary>
/// <param name="Weights">Its safetensors file.</param>
/// <param name="Arch">Its shape.</param>
/// <param name="Tokenizer">Its tokenizer's file, null when there is none beside it.</param>
/// <param name="Calibration">Its calibration file, null when there is none beside it.</param>
/// <param name="Name">For people: folder or file.</param>
public sealed record ModelSource(string Weights, BertConfig Arch, string? Tokenizer, string? Calibration, string Name);
