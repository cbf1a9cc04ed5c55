namespace ActorTrainer.Host.Cli;

/// <summary>Names, words and help of the training commands.</summary>
public static class CommandDescriptions
{
    /// <summary><c>dev</c>: everything once, in small.</summary>
    public static CommandDescription Dev { get; } = new()
    {
        Name = "dev",
        Summary = "try everything in a few minutes: text, tokenizer, pre-training, LoRA fine-tuning, scores, encrypted fine-tuning",
        Paragraphs =
        [
            """
            Makes sample text, trains a tokenizer on it, pre-trains a small encryption-friendly model over two
            stage actors, evaluates it on held-out text, fine-tunes it with LoRA on a sample task, and writes
            models, metrics and pictures to the run's folder. With data.path it does the same with your text.
            Then it makes keys, encrypts some rows, trains a few steps on ciphertexts, decrypts, and compares.
            """,
            """
            Running it again with the same settings continues an interrupted run; a run that is complete stays
            as it is.
            """,
        ],
        Examples =
        [
            new("dev", "sample text, no files needed"),
            new("dev data.path=notes name=notes", "your text: a *.txt file or a folder of them"),
            new("dev pipeline=single name=dev-single", "the same run with the model in one actor"),
            new("dev impl=debug name=dev-debug", "with every message through its wire format"),
        ],
        Defaults = ["arch=dev", "train=dev", "data=sample", "pipeline=two", "eval=dev", "he=dev", "impl=dev", "name=dev"],
        Keys = ["name", "seed", "data.path", "data.valid_path", "train.budget.amount", "train.optim.lr", "pipeline.stages", "impl.device"],
    };

    /// <summary><c>pretrain</c>: a run.</summary>
    public static CommandDescription Pretrain { get; } = new()
    {
        Name = "pretrain",
        Summary = "pre-train a model with masked language modelling, or continue a run",
        Paragraphs =
        [
            """
            Prepares the data (or finds it prepared), cuts the model into stages, and trains until the budget is
            used up. Checkpoints, metrics and the final model go to base_dir/name.
            """,
            """
            The same command with the same name continues a run that was interrupted or killed, from its last
            checkpoint. Results depend on the seed and the recipe, never on the pipeline.
            """,
            """
            With cluster=… the run is handed to that cluster, which trains it, and this command looks on. Ctrl-C
            then ends only the looking on; the same command looks on again.
            """,
        ],
        Examples =
        [
            new("pretrain name=test arch=crammed-bert train=bert-o4 data=pile-readymade", "the crammed BERT by its recipe"),
            new("pretrain name=wiki arch=wiki train=wiki-20min impl=small data.path=text", "a small model on your text, in under 20 minutes"),
            new("pretrain name=test train.budget.unit=tokens train.budget.amount=5e6 impl.microbatch_size=16", "five million tokens in micro-batches of 16"),
            new("pretrain name=far arch=tiny data=sample cluster=local", "on the cluster of this machine (docs/cluster.md)"),
            new("pretrain name=cut arch=tiny data=sample pipeline=two pipeline.cut=[2,2]", "an explicit cut: embedding and layer, layer and head"),
        ],
        Keys =
        [
            "name", "base_dir", "seed", "data.path", "data.valid_path", "train.budget.unit", "train.budget.amount", "train.optim.lr",
            "train.batch_size", "train.evaluate_every", "impl.microbatch_size", "impl.device", "pipeline.stages", "cluster.seeds",
        ],
    };

    /// <summary><c>compare-runs</c>: where two runs part.</summary>
    public static CommandDescription CompareRuns { get; } = new()
    {
        Name = "compare-runs",
        Summary = "tell the first step and layer where two runs differ",
        Paragraphs =
        [
            """
            Compares the digests of weights, optimiser and random state that both runs logged, step by step and
            layer by layer. Runs log them when impl.digest_every is above 0.
            """,
        ],
        Arguments =
        [
            new("A", "a run: its name under base_dir, or its folder"),
            new("B", "the other run"),
        ],
        Examples =
        [
            new("compare-runs dev dev-single", "two runs under outputs"),
            new("compare-runs /mnt/a/run /mnt/b/run", "two folders"),
        ],
        Accepts = ["base_dir"],
        Keys = ["base_dir"],
        Done = "the runs agree",
        Failed = "the runs differ, or a failure",
    };

    /// <summary><c>tokenizer</c>: a vocabulary from a corpus.</summary>
    public static CommandDescription Tokenizer { get; } = new()
    {
        Name = "tokenizer",
        Summary = "train a WordPiece vocabulary on a corpus",
        Paragraphs =
        [
            """
            Trains a vocabulary of exactly arch.vocabulary entries on the text of data.path and writes it as
            tokenizer.json. The same corpus gives the same file. Runs find it with data.tokenizer=FILE;
            a run without one trains its own.
            """,
        ],
        Arguments = [new("train", "what to do")],
        Options = [new("out", "file to write; tokenizer.json when left out", "FILE")],
        Examples =
        [
            new("tokenizer train data.path=notes arch.vocabulary=8192 out=notes.json", "8,192 entries from your text"),
            new("tokenizer train data=sample arch=tiny out=sample.json", "from the sample text, as many entries as arch=tiny has"),
        ],
        Accepts = ["data", "arch"],
        Keys = ["data.path", "data.layout", "data.json_field", "arch.vocabulary", "data.workers"],
    };
}
