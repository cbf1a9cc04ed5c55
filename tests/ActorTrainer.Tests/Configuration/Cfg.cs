using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Configuration;

/// <summary>Short ways to resolve a configuration and to run the program inside the test.</summary>
internal static class Cfg
{
    /// <summary>The training commands with bodies that only print what they were given.</summary>
    public static CommandTable Table(Func<CommandContext, CancellationToken, Task<int>>? run = null)
    {
        run ??= (context, _) =>
        {
            context.Out.Write($"{context.Run.Name} {string.Join(' ', context.Arguments)} {context.Option("out")}");
            return Task.FromResult(App.Done);
        };
        return new CommandTable(
        [
            new DelegateCommand(CommandDescriptions.Dev, run),
            new DelegateCommand(CommandDescriptions.Pretrain, run),
            new DelegateCommand(CommandDescriptions.CompareRuns, run),
            new DelegateCommand(CommandDescriptions.Tokenizer, run),
            new ConfigCommand(),
            new VersionCommand(),
        ]);
    }

    public static ResolvedConfiguration Resolve(params string[] words) => Resolve(new ConfigProfile("pretrain", []), words);

    public static ResolvedConfiguration Resolve(ConfigProfile profile, params string[] words) =>
        ConfigResolver.Resolve(ConfigLibrary.Open(), profile, words);

    public static string Refusal(params string[] words) => Assert.Throws<RefusedException>(() => Resolve(words)).Message;

    public static string Origin(this ResolvedConfiguration resolved, string key) => resolved.Values.Single(value => value.Key.Name == key).Origin;

    public static Task<(int Code, string Out, string Error)> Run(params string[] words) => Run(Table(), words);

    public static async Task<(int Code, string Out, string Error)> Run(CommandTable table, params string[] words)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await App.Run(words, table, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
