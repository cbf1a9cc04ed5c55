using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.FineTuning;

/// <summary>The model that fine-tuning starts from, as the configuration names it.</summary>
/// <param name="Source">Its files.</param>
/// <param name="Arch">Shape of the fine-tuned model: three projections, attention and dropout as configured.</param>
/// <param name="Tokenizer">Its tokenizer.</param>
internal sealed record PretrainedModel(ModelSource Source, BertConfig Arch, WordPieceTokenizer Tokenizer)
{
    /// <summary>Whether the words of a command name a shape.</summary>
    public static bool IsArchGiven(IEnumerable<string> words) => words.Any(word => word.StartsWith("arch", StringComparison.Ordinal));

    /// <summary>Finds the model.</summary>
    /// <param name="archGiven">Whether the user named a shape (<c>arch=…</c>), for files that do not say theirs.</param>
    /// <exception cref="RefusedException">There is none, it has no tokenizer, or they do not fit.</exception>
    public static PretrainedModel Of(RunConfiguration run, bool archGiven)
    {
        var losses = new Lazy<Dictionary<long, double>>(() => RunMetrics.Read(run.RunFolder).Evaluations.ToDictionary(e => e.Step, e => e.Loss));
        var source = CheckpointChoice.Find(
            run.RunFolder, run.Eval.Checkpoint, archGiven ? run.Arch : null, step => losses.Value.TryGetValue(step, out var loss) ? loss : null);
        var path = run.Eval.Tokenizer.Length > 0 ? run.Eval.Tokenizer : source.Tokenizer
            ?? throw new RefusedException($"{source.Name} has no {CheckpointFolder.TokenizerFile} beside it: name the model's tokenizer with eval.tokenizer=FILE.");
        var tokenizer = TokenizerFile.Load(path);
        if (tokenizer.VocabularySize != source.Arch.Vocabulary)
        {
            throw new RefusedException(
                $"{path} has {tokenizer.VocabularySize} entries, the model {source.Arch.Vocabulary}: it is another model's tokenizer; name the right one with eval.tokenizer=FILE.");
        }

        return new PretrainedModel(source, run.Eval.Arch(source.Arch), tokenizer);
    }

    /// <summary>Hash of its embedding: see <see cref="DataExport.EmbeddingHash"/>.</summary>
    public string EmbeddingHash()
    {
        using var embedding = LoadEmbedding();
        return DataExport.EmbeddingHash(embedding);
    }

    /// <summary>Its embedding, frozen, with its weights in place. The caller owns it.</summary>
    /// <exception cref="RefusedException">The file does not have it.</exception>
    public EmbeddingUnit LoadEmbedding()
    {
        var embedding = new EmbeddingUnit(Arch, seed: 0, frozen: true);
        try
        {
            StateDict.LoadInto(Arch, [embedding], Source.Weights, ignorePooler: true);
            return embedding;
        }
        catch
        {
            embedding.Dispose();
            throw;
        }
    }
}
