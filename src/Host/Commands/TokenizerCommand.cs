using ActorTrainer.Host.Cli;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.Commands;

/// <summary><c>tokenizer train</c>: a vocabulary from a corpus.</summary>
internal static class TokenizerCommand
{
    /// <summary>Trains and writes the file.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken cancellation)
    {
        if (context.Arguments[0] != "train")
        {
            throw new RefusedException($"tokenizer has one thing to do, 'train', not '{context.Arguments[0]}': actortrainer tokenizer train data.path=… out=FILE.");
        }

        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System);
        var tokenizer = CorpusPreparation.Train(context.Run, progress, cancellation);
        var file = context.Option("out") ?? TokenizerFile.JsonName;
        TokenizerFile.SaveJson(tokenizer, file);
        progress.Done($"{file}: {tokenizer.VocabularySize:N0} entries; use it with data.tokenizer={file}");
        return Task.FromResult(App.Done);
    }
}
