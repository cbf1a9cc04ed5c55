using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.Commands;

/// <summary>Tokenizer and blocks of a run: found, or made.</summary>
internal static class CorpusPreparation
{
    /// <summary>The tokenizer that the configuration names, or one trained on the corpus and kept in the cache; null for tokenised data without one.</summary>
    /// <exception cref="RefusedException">The tokenizer does not fit the model, or the corpus cannot be read.</exception>
    public static WordPieceTokenizer? Tokenizer(RunConfiguration run, PhaseProgress progress, CancellationToken cancellation)
    {
        if (run.Data.Tokenizer.Length > 0)
        {
            var named = TokenizerFile.Load(run.Data.Tokenizer);
            return named.VocabularySize == run.Arch.Vocabulary
                ? named
                : throw new RefusedException(
                    $"data.tokenizer={run.Data.Tokenizer} has {named.VocabularySize} entries, arch.vocabulary={run.Arch.Vocabulary}: they must be equal. Set arch.vocabulary={named.VocabularySize}.");
        }

        if (run.Data.Source == DataSourceKind.Parquet)
        {
            return null;
        }

        var fingerprint = DocumentSource.Fingerprint(run.Data, cancellation);
        var file = Path.Combine(run.Data.Cache, "tokenizers", $"{fingerprint[..24]}-{run.Arch.Vocabulary}.json");
        if (File.Exists(file))
        {
            progress.Done($"tokenizer: {run.Arch.Vocabulary:N0} entries, found in {file}");
            return TokenizerFile.Load(file);
        }

        var trained = Train(run, progress, cancellation);
        TokenizerFile.SaveJson(trained, file);
        progress.Done($"tokenizer: {trained.VocabularySize:N0} entries, trained into {file}");
        return trained;
    }

    /// <summary>A new tokenizer, trained on the corpus.</summary>
    public static WordPieceTokenizer Train(RunConfiguration run, PhaseProgress progress, CancellationToken cancellation) => WordPieceTrainer.Train(
        DocumentSource.TrainTexts(run.Data),
        new WordPieceTrainerOptions { VocabularySize = run.Arch.Vocabulary, Workers = run.Data.Workers },
        (phase, amount) => progress.Report(phase == "merges" ? $"tokenizer: {amount:P0} of the merges" : $"tokenizer: words of {amount / 1e6:F1} M characters counted"),
        cancellation);

    /// <summary>The blocks of a run.</summary>
    /// <exception cref="RefusedException">The corpus cannot be read, or is too small.</exception>
    public static PreparedData Data(RunConfiguration run, ITokenizer? tokenizer, PhaseProgress progress, CancellationToken cancellation)
    {
        var data = DatasetBuilder.Prepare(
            run.Data, tokenizer, new Reporter(progress), cancellation);
        progress.Done(
            $"data: {data.Train.BlockCount:N0} training and {data.HeldOut.BlockCount:N0} held-out blocks of {data.Train.BlockLength} tokens, {(data.Reused ? "found" : "prepared")} in {data.Folder}");
        return data;
    }

    /// <summary><see cref="Progress{T}"/> would report from other threads and late; this one reports at once.</summary>
    private sealed class Reporter(PhaseProgress progress) : IProgress<PrepareProgress>
    {
        public void Report(PrepareProgress value) => progress.Report(
            $"data: {value.Stage}, {value.Bytes / 1e6:F1} of {value.TotalBytes / 1e6:F1} MB, {value.Documents:N0} documents, {value.Tokens / 1e6:F2} M tokens");
    }
}
