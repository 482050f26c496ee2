namespace Nacelle.Build;

/// <summary>One instruction with what it says, variables not replaced yet.</summary>
/// <param name="Line">Where it begins, from 1 on.</param>
/// <param name="Keyword">In capitals.</param>
/// <param name="Text">The whole, continuation lines joined, without heredocs: for progress and history.</param>
public abstract record Instruction(int Line, string Keyword, string Text);

/// <summary>Where an instruction stands and how it is written: what all kinds begin with.</summary>
public sealed record InstructionHead(int Line, string Keyword, string Text);

/// <summary>A command in one of its two forms: a list of arguments, or a text for the shell.</summary>
public sealed record CommandForm(IReadOnlyList<string> Words, bool IsShell);

/// <summary>A file written in the Containerfile itself.</summary>
/// <param name="Name">The delimiter.</param>
/// <param name="Content">With tabs already stripped where <c>&lt;&lt;-</c> asked for it.</param>
/// <param name="Expand">Variables are replaced: the delimiter was not quoted.</param>
/// <param name="Raw">The lines as they stand, for a shell to read, with the delimiter's line behind.</param>
public sealed record Heredoc(string Name, string Content, bool Expand, string Raw);

public sealed record FromInstruction(InstructionHead Head, string Image, string? Alias, string? Platform) : Instruction(Head.Line, Head.Keyword, Head.Text);

/// <param name="Arguments">Names with their defaults, where they have some.</param>
public sealed record ArgInstruction(InstructionHead Head, IReadOnlyList<(string Name, string? Default)> Arguments) : Instruction(Head.Line, Head.Keyword, Head.Text);

/// <summary>ENV and LABEL.</summary>
public sealed record PairsInstruction(InstructionHead Head, IReadOnlyList<(string Name, string Value)> Pairs) : Instruction(Head.Line, Head.Keyword, Head.Text);

/// <param name="Written">The command as it stands there, for the history.</param>
/// <param name="Mounts">The values of its <c>--mount</c> flags.</param>
/// <param name="Network">null, default, none or host.</param>
public sealed record RunInstruction(
    InstructionHead Head, CommandForm Command, string Written, IReadOnlyList<Heredoc> Heredocs, IReadOnlyList<string> Mounts, string? Network)
    : Instruction(Head.Line, Head.Keyword, Head.Text);

/// <summary>COPY and ADD.</summary>
public sealed record CopyInstruction(
    InstructionHead Head, IReadOnlyList<string> Sources, string Destination, IReadOnlyList<Heredoc> Heredocs, CopyFlags Flags)
    : Instruction(Head.Line, Head.Keyword, Head.Text)
{
    public bool IsAdd => Keyword == "ADD";
}

/// <param name="From">A stage, an image, or null for the context.</param>
/// <param name="Parents">The sources' directories are kept.</param>
/// <param name="Unpack">Of ADD: null for what is usual (local archives yes, downloaded ones no).</param>
/// <param name="KeepGit">Of ADD: a repository's own directory is copied too.</param>
public sealed record CopyFlags(string? From, string? Chown, string? Chmod, string? Checksum, IReadOnlyList<string> Excludes, bool Parents, bool? Unpack, bool KeepGit);

/// <summary>CMD and ENTRYPOINT.</summary>
public sealed record CommandInstruction(InstructionHead Head, CommandForm Command) : Instruction(Head.Line, Head.Keyword, Head.Text);

/// <summary>WORKDIR, USER, STOPSIGNAL and MAINTAINER.</summary>
public sealed record TextInstruction(InstructionHead Head, string Value) : Instruction(Head.Line, Head.Keyword, Head.Text);

/// <summary>EXPOSE, VOLUME and SHELL.</summary>
public sealed record ListInstruction(InstructionHead Head, IReadOnlyList<string> Values) : Instruction(Head.Line, Head.Keyword, Head.Text);

/// <param name="Command">null for NONE.</param>
/// <param name="Timing">The flags: interval, timeout, start-period, start-interval and retries, each as written.</param>
public sealed record HealthcheckInstruction(InstructionHead Head, CommandForm? Command, IReadOnlyDictionary<string, string> Timing)
    : Instruction(Head.Line, Head.Keyword, Head.Text);

/// <param name="Trigger">The instruction, as it will stand in the Containerfile of whoever builds on this image.</param>
public sealed record OnBuildInstruction(InstructionHead Head, string Trigger) : Instruction(Head.Line, Head.Keyword, Head.Text);
