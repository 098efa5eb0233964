/* The linker sends the library's calls of OpenSSL here (--wrap), whatever their
 * arguments are: fault_refuses() sees who called what, and either the call goes
 * on as it came, or the caller gets the failure that refused.def has for it.
 * x86-64 alone; none of the functions takes a floating-point number. */
#define REFUSE(function, value) refusable function, value

    .macro refusable function, value
    .globl __wrap_\function
    .type __wrap_\function, @function
__wrap_\function:
    .cfi_startproc
    endbr64
    leaq 7f(%rip), %r11
    movq $\value, %r10
    call refuse_or_not
    testq %r11, %r11
    jz 6f
    movq %r10, %rax
    ret
6:  jmp __real_\function@PLT
7:  .asciz "\function"
    .cfi_endproc
    .size __wrap_\function, . - __wrap_\function
    .endm

    .text
/* r11: the function's name; after it, 0 if the call is to go on. The registers
 * of arguments, and r10, stay as they are. */
refuse_or_not:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_offset rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register rbp
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %r8
    pushq %r9
    pushq %rax
    pushq %r10
    andq $-16, %rsp
    movq %r11, %rdi
    movq 16(%rbp), %rsi /* where the caller goes on */
    call fault_refuses@PLT
    movslq %eax, %r11
    leaq -64(%rbp), %rsp
    popq %r10
    popq %rax
    popq %r9
    popq %r8
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    popq %rbp
    .cfi_def_cfa rsp, 8
    ret
    .cfi_endproc

#include "refused.def"

    .section .note.GNU-stack, "", @progbits
